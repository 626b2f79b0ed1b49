#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/manual_clock.h"
#include "node/node_for_tests.h"
#include "storage/memory/faulty_store.h"
#include "storage/memory/memory_store.h"
#include "transform/digest.h"

namespace cherax::node {
namespace {

namespace fs = std::filesystem;
using test::Answer;
using test::write_old;
using testing::HasSubstr;

json::value parse(const std::string& text) { return json::parse(text).value(); }

std::string hex_of(std::string_view content) {
  MemorySource source{as_bytes(content)};
  return transform::digest_of(source).hex();
}

std::string text_of(const fs::path& path) { return read_text(path, 1 << 20); }
bool is_there(const fs::path& path) { return status_of(path).has_value(); }

const std::string kBig(1000, 'b');
const std::string kOther(500, 'o');
constexpr const char* kSnapshotAll = R"({"groups":[{"root_glob":"**"}]})";

/// A node with a store in memory that can be made to fail; the node is locked.
class NodeOperationsTest : public testing::Test {
 protected:
  NodeOperationsTest() {
    write_old(root() / "a/big", kBig);
    write_old(root() / "a/same", kBig);
    write_old(root() / "other", kOther);
    write_old(root() / "small", "small");
    write_old(root() / "void", "");
    EXPECT_EQ(node_.ask("POST", "/node/lock?locker=me&ttl=3600").status, 200);
  }

  fs::path root() const { return options_.root; }
  json::value snapshot() { return node_.run("/node/snapshot", kSnapshotAll); }
  json::value upload(const std::vector<std::string>& contents, const std::string& storage = "x") {
    json::array hashes;
    for (const auto& content : contents)
      hashes.push_back(json::object{{"hexdigest", hex_of(content)}, {"size", content.size()}});
    return node_.run("/node/upload", json::to_text(json::object{{"storage", storage}, {"hashes", hashes}}));
  }
  bool is_stored(const std::string& content) { return store_.head({"data/" + hex_of(content)}).has_value(); }
  /// Makes a backup of this one node, as a coordinator does.
  std::string back_up() {
    const auto taken = json::to_text(snapshot());
    upload({kBig, kOther});
    MemorySource source{as_bytes(taken)};
    repository::NewManifest manifest{.start = clock_.now(), .end = clock_.now(), .plugin = "files"};
    manifest.snapshot_results.push_back(&source);
    return storages_->default_storage().manifests().put(manifest).full();
  }
  json::value download(const std::string& name, std::int64_t index = 0, const std::string& more = "") {
    return node_.run("/node/download",
                     fmt::format(R"({{"storage":"x","backup_name":"{}","snapshot_index":{},"root_globs":["**"]{}}})",
                                 name, index, more));
  }

  ManualClock clock_;
  storage::TemporaryDirectory directory_;
  storage::MemoryStore store_;
  std::function<void(storage::FaultyStore::Operation, const std::string&)> fault_;
  std::unique_ptr<repository::Storages> storages_ =
      test::storages_on(std::make_unique<storage::FaultyStore>(
                            store_, storage::FaultyStore::Faults{.before =
                                                                     [this](auto operation, const std::string& key) {
                                                                       if (fault_) fault_(operation, key);
                                                                     },
                                                                 .alter = {}}),
                        directory_.path() / "tmp");
  NodeOptions options_ = test::options_below(directory_.path());
  http::Client client_{{.spool_directory = "/tmp"}};
  test::ServedNode node_{options_, *storages_, client_, system_clock()};
};

TEST_F(NodeOperationsTest, ASnapshotListsFilesAndHashesInOrderAndEmbedsSmallOnes) {
  const auto result = snapshot();
  EXPECT_EQ(result.at("files"), 5);
  EXPECT_EQ(result.at("total_size"), 2505);
  EXPECT_EQ(result.at("progress").at("handled"), 5);
  EXPECT_EQ(result.at("progress").at("total"), 5);
  EXPECT_TRUE(parse_rfc3339(result.at("start").as_string()));
  EXPECT_TRUE(parse_rfc3339(result.at("end").as_string()));
  EXPECT_EQ(result.at("state").at("root_globs"), parse(R"(["**"])"));
  EXPECT_EQ(result.at("hashes"), parse(fmt::format(R"([{{"hexdigest":"{0}","size":1000}},
      {{"hexdigest":"{0}","size":1000}},{{"hexdigest":"{1}","size":500}}])",
                                                   hex_of(kBig), hex_of(kOther))))
      << "one for each file, also for equal ones";
  json::array files = result.at("state").at("files").as_array();
  for (auto& file : files) {
    const auto path = root() / std::string_view{file.at("relative_path").as_string()};
    const auto time = status_of(path)->st_mtim;
    EXPECT_EQ(file.at("mtime_ns"), time.tv_sec * 1'000'000'000 + time.tv_nsec);
    file.as_object().erase("mtime_ns");
  }
  EXPECT_EQ(files, parse(fmt::format(R"([
      {{"relative_path":"a/big","file_size":1000,"hexdigest":"{0}"}},
      {{"relative_path":"a/same","file_size":1000,"hexdigest":"{0}"}},
      {{"relative_path":"other","file_size":500,"hexdigest":"{1}"}},
      {{"relative_path":"small","file_size":5,"content_b64":"c21hbGw="}},
      {{"relative_path":"void","file_size":0,"content_b64":""}}])",
                                     hex_of(kBig), hex_of(kOther)))
                       .as_array());
}

TEST_F(NodeOperationsTest, AnEmptySnapshotHasNoFilesMember) {
  const auto result = node_.run("/node/snapshot", R"({"groups":[{"root_glob":"none/*"},{"root_glob":"no"}]})");
  EXPECT_EQ(result.at("state"), parse(R"({"root_globs":["none/*","no"]})"));
  EXPECT_EQ(result.at("hashes"), json::array{});
  EXPECT_EQ(result.at("progress"), parse(R"({"handled":0,"failed":0,"total":0,"final":true})"));
}

TEST_F(NodeOperationsTest, AGroupSaysWhatIsEmbeddedAndLeftOut) {
  const auto files = [&](const std::string& group) {
    std::string names;
    const auto result = node_.run("/node/snapshot", R"({"groups":[)" + group + "]}");
    for (const auto& file : result.at("state").at("files").as_array()) {
      names += fmt::format("{}{} ", std::string_view{file.at("relative_path").as_string()},
                           file.as_object().contains("content_b64") ? "" : "#");
    }
    return names;
  };
  EXPECT_EQ(files(R"({"root_glob":"**","embedded_file_size_max":null})"), "a/big a/same other small void ");
  EXPECT_EQ(files(R"({"root_glob":"**","embedded_file_size_max":4})"), "a/big# a/same# other# small# void ");
  EXPECT_EQ(files(R"({"root_glob":"**","excluded_names":["big","void"]})"), "a/same# other# small ");
}

TEST_F(NodeOperationsTest, AFailedSnapshotHasAstacusShape) {
  const auto result = node_.run("/node/snapshot", R"({"groups":[{"root_glob":"**"},
      {"root_glob":"other","embedded_file_size_max":1}]})");
  EXPECT_EQ(result.at("progress").at("failed"), 1);
  EXPECT_NE(result.at("error"), "");
  EXPECT_TRUE(result.at("end").is_null());
  EXPECT_TRUE(result.at("hashes").is_null());
  EXPECT_EQ(result.at("state"), json::object{});
  EXPECT_EQ(result.at("files"), 0);
  ASSERT_TRUE(result.at("start").is_string()) << "Astacus' coordinator refuses a result without a start";
  EXPECT_TRUE(parse_rfc3339(result.at("start").as_string()));
}

TEST_F(NodeOperationsTest, UploadsWhatTheSnapshotHas) {
  snapshot();
  const auto result = upload({kBig, kOther});
  EXPECT_EQ(result.at("progress").at("handled"), 2);
  EXPECT_EQ(result.at("progress").at("failed"), 0);
  EXPECT_EQ(result.at("total_size"), 1500);
  EXPECT_EQ(result.at("total_stored_size"), static_cast<std::int64_t>(store_.head({"data/" + hex_of(kBig)})->size +
                                                                      store_.head({"data/" + hex_of(kOther)})->size));
  EXPECT_FALSE(result.as_object().contains("error"));
}

TEST_F(NodeOperationsTest, UploadsFromItsHardLinksUntilTheyAreReleased) {
  snapshot();
  fs::remove(root() / "other");
  EXPECT_EQ(upload({kOther}).at("progress").at("failed"), 0) << "the file is gone, its hard link is not";
  node_.run("/node/release", fmt::format(R"({{"hexdigests":["{}"]}})", hex_of(kBig)));
  EXPECT_EQ(status_of(root() / "a/big")->st_nlink, 1U);
  EXPECT_EQ(status_of(root() / "small")->st_nlink, 2U) << "only that digest";
  EXPECT_EQ(upload({kBig}).at("progress").at("failed"), 1);
  node_.run("/node/release", R"({"hexdigests":[],"all":true})");
  EXPECT_EQ(status_of(root() / "small")->st_nlink, 1U);
}

TEST_F(NodeOperationsTest, AReleaseMayNameVeryManyDigests) {
  snapshot();
  std::string list = fmt::format(R"("{}")", hex_of(kBig));
  for (int i = 0; i < 20'000; ++i) list += fmt::format(R"(,"{:064x}")", i);
  node_.run("/node/release", fmt::format(R"({{"hexdigests":[{}]}})", list));
  EXPECT_EQ(status_of(root() / "a/big")->st_nlink, 1U);
}

TEST_F(NodeOperationsTest, AReleaseRefusesWhatIsNoDigest) {
  EXPECT_EQ(node_.ask("POST", "/node/release", R"({"hexdigests":["xyz"]})").status, 422);
}

TEST_F(NodeOperationsTest, NeverStoresAChangedFileUnderItsOldDigestAndUploadsTheRest) {
  snapshot();
  write_durably(root() / "new", std::string(1000, 'x'));
  {  // in place, so that the hard link changes too
    File changed{root() / "other", O_WRONLY};
    changed.write(as_bytes("X"));
  }
  const auto result = upload({kBig, kOther});
  EXPECT_EQ(result.at("progress").at("handled"), 1);
  EXPECT_EQ(result.at("progress").at("failed"), 1);
  EXPECT_EQ(result.at("progress").at("total"), 2);
  EXPECT_THAT(std::string{result.at("error").as_string()}, HasSubstr(hex_of(kOther)));
  EXPECT_EQ(result.at("total_size"), 1000);
  EXPECT_TRUE(is_stored(kBig));
  EXPECT_FALSE(is_stored(kOther));
}

TEST_F(NodeOperationsTest, TakesAnotherFileOfTheSameContentWhenTheFirstHasChanged) {
  snapshot();
  {
    File changed{root() / "a/big", O_WRONLY};
    changed.write(as_bytes("X"));
  }
  EXPECT_EQ(upload({kBig}).at("progress").at("failed"), 0);
  EXPECT_TRUE(is_stored(kBig));
}

TEST_F(NodeOperationsTest, AnUploadFailsInTheResultNotInTheAnswer) {
  snapshot();
  EXPECT_THAT(std::string{upload({kBig}, "y").at("error").as_string()}, HasSubstr("no storage is called \"y\""));
  const auto unknown = upload({"content that no file has"});
  EXPECT_EQ(unknown.at("progress").at("failed"), 1);
  EXPECT_EQ(unknown.at("progress").at("handled"), 0);
  fault_ = [](auto operation, const std::string&) {
    if (operation == storage::FaultyStore::Operation::put) fail(ErrorKind::denied, "the store is read-only");
  };
  const auto failed = upload({kBig, kOther});
  EXPECT_THAT(std::string{failed.at("error").as_string()}, HasSubstr("the store is read-only"));
  EXPECT_EQ(failed.at("total_size"), 0) << "Astacus' shape";
  EXPECT_GE(failed.at("progress").at("failed").as_int64(), 1);
}

TEST_F(NodeOperationsTest, SaysThatAnUploadIsDoneOnlyBehindTheStoresBarrier) {
  snapshot();
  fault_ = [](auto operation, const std::string&) {
    if (operation == storage::FaultyStore::Operation::sync) fail(ErrorKind::internal, "the disk is gone");
  };
  const auto result = upload({kBig});
  EXPECT_EQ(result.at("progress").at("failed"), 1);
  EXPECT_THAT(std::string{result.at("error").as_string()}, HasSubstr("the disk is gone"));
}

TEST_F(NodeOperationsTest, AnUploadTakesWhatAstacusSends) {
  snapshot();
  const auto result = node_.run("/node/upload", fmt::format(R"({{"hashes":[{{"hexdigest":"{}","size":500}}],
      "storage":"","validate_file_hashes":true,"result_url":""}})",
                                                            hex_of(kOther)));
  EXPECT_EQ(result.at("progress").at("failed"), 0) << "\"\" is the default storage";
  EXPECT_TRUE(is_stored(kOther));
}

TEST_F(NodeOperationsTest, AnUploadsHashesMustBeAListOfThem) {
  for (const char* hashes :
       {"5", "{}", "\"x\"", "[1]", "[{}]", R"([{"hexdigest":"x","size":1}])", R"([{"hexdigest":"aa","size":-1}])"}) {
    EXPECT_EQ(node_.ask("POST", "/node/upload", fmt::format(R"({{"storage":"x","hashes":{}}})", hashes)).status, 422)
        << hashes;
  }
}

TEST_F(NodeOperationsTest, AnUploadTakesAnySizeForWhatItIs) {
  const auto hash = fmt::format(R"({{"hexdigest":"{}","size":18446744073709551615}})", hex_of("x"));
  const auto result = node_.run("/node/upload", fmt::format(R"({{"storage":"x","hashes":[{0},{0}]}})", hash));
  EXPECT_EQ(result.at("progress").at("failed"), 2);
}

TEST_F(NodeOperationsTest, ADownloadMakesTheRootWhatItWas) {
  const auto name = back_up();
  const auto mtime = status_of(root() / "other")->st_mtim;
  node_.run("/node/release", R"({"hexdigests":[],"all":true})");
  fs::remove(root() / "other");
  write_old(root() / "a/big", "changed");
  write_old(root() / "surplus", "not in the backup");
  const auto result = download(name);
  EXPECT_FALSE(result.as_object().contains("error")) << result;
  EXPECT_EQ(result.at("progress").at("handled"), result.at("progress").at("total"));
  EXPECT_EQ(text_of(root() / "other"), kOther);
  EXPECT_EQ(text_of(root() / "a/big"), kBig);
  EXPECT_EQ(text_of(root() / "small"), "small");
  EXPECT_FALSE(is_there(root() / "surplus"));
  const auto restored = status_of(root() / "other")->st_mtim;
  EXPECT_EQ(restored.tv_sec, mtime.tv_sec);
  EXPECT_EQ(restored.tv_nsec, mtime.tv_nsec);
}

TEST_F(NodeOperationsTest, ADownloadCountsOneForEachFileAndEachByte) {
  const auto name = back_up();
  node_.run("/node/clear", R"({"root_globs":["**"]})");
  const auto progress = download(name).at("progress");
  EXPECT_EQ(progress.at("total"), 5 + 2505);
  EXPECT_EQ(progress.at("handled"), 5 + 2505);
}

TEST_F(NodeOperationsTest, ADownloadLeavesOutWhatIsExcluded) {
  const auto name = back_up();
  node_.run("/node/clear", R"({"root_globs":["**"]})");
  download(name, 0, R"(,"excluded_globs":["a/**","small"])");
  EXPECT_FALSE(is_there(root() / "a/big"));
  EXPECT_FALSE(is_there(root() / "small"));
  EXPECT_TRUE(is_there(root() / "other"));
}

TEST_F(NodeOperationsTest, ADownloadThatCannotSucceedTouchesNothing) {
  const auto name = back_up();
  write_old(root() / "surplus", "not in the backup");
  for (const auto& [backup, index] :
       {std::pair<std::string, int>{"backup-no-such", 0}, {name, 1}, {name, -1}, {"../../etc", 0}}) {
    const auto result = download(backup, index);
    EXPECT_EQ(result.at("progress").at("failed"), 1) << backup << index;
    EXPECT_EQ(result.at("progress").at("final"), true);
    EXPECT_NE(result.at("error"), "");
  }
  const auto unknown_storage =
      node_.run("/node/download",
                fmt::format(R"({{"storage":"y","backup_name":"{}","snapshot_index":0,"root_globs":["**"]}})", name));
  EXPECT_EQ(unknown_storage.at("progress").at("failed"), 1);
  EXPECT_EQ(text_of(root() / "surplus"), "not in the backup");
  EXPECT_EQ(text_of(root() / "other"), kOther);
}

TEST_F(NodeOperationsTest, ADownloadOfADamagedObjectLeavesTheOldFile) {
  const auto name = back_up();
  node_.run("/node/release", R"({"hexdigests":[],"all":true})");
  write_old(root() / "other", "the old one");
  const storage::ObjectKey key{"data/" + hex_of(kOther)};
  const auto metadata = store_.head(key)->metadata;
  Bytes garbage(300, std::byte{7});
  MemorySource source{garbage};
  store_.put(key, source, metadata, storage::PutMode::replace);
  const auto result = download(name);
  EXPECT_GE(result.at("progress").at("failed").as_int64(), 1);
  EXPECT_THAT(std::string{result.at("error").as_string()}, HasSubstr(hex_of(kOther)));
  EXPECT_EQ(text_of(root() / "other"), "the old one");
}

TEST_F(NodeOperationsTest, AClearRemovesWhatMatchesAndCountsFiles) {
  const auto result = node_.run("/node/clear", R"({"root_globs":["a/*","small"]})");
  EXPECT_EQ(result.at("progress"), parse(R"({"handled":3,"failed":0,"total":3,"final":true})"));
  EXPECT_FALSE(is_there(root() / "a/big"));
  EXPECT_TRUE(is_there(root() / "a"));
  EXPECT_TRUE(is_there(root() / "other"));
}

TEST_F(NodeOperationsTest, AHardLinkOfAKilledServerIsReleasedAtTheNextStart) {
  snapshot();
  EXPECT_EQ(status_of(root() / "other")->st_nlink, 2U);
  auto options = options_;
  options.db_path = directory_.path() / "db2";  // the first one still holds its index
  fs::create_directory(options.db_path);
  const test::ServedNode next{options, *storages_, client_, system_clock()};
  EXPECT_EQ(status_of(root() / "other")->st_nlink, 1U);
}

}  // namespace
}  // namespace cherax::node
