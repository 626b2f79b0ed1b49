#include "repository/manifests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "repository/testing.h"
#include "storage/memory/faulty_store.h"

namespace cherax::repository {
namespace {

using storage::FaultyStore;
using ::testing::ElementsAre;
using testing::error_message;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kind_of_error;
using testing::put_manifest;
using testing::snapshot_result;

const Timestamp kStart = parse_rfc3339("2026-11-23T22:40:25.5Z").value();
constexpr const char* kName = "backup-2026-11-23T22:40:25+00:00";

std::vector<std::string> full_names(Manifests& manifests) {
  std::vector<std::string> names;
  for (const BackupName& name : manifests.list()) names.push_back(name.full());
  return names;
}

class ManifestsTest : public testing::RepositoryTest {
 protected:
  Manifests with_cache(storage::ObjectStore& store) {
    return {store, codec_, {.storage = "x", .temporary_directory = directory_.path() / "tmp", .cache = cache_}};
  }
  std::filesystem::path cache_ = directory_.path() / "cache";
};

TEST_F(ManifestsTest, GivesBackWhatWasPut) {
  const std::string first = snapshot_result({"abc", "def"}, {""}), second = snapshot_result({"abc"});
  MemorySource first_source{as_bytes(first)}, second_source{as_bytes(second)};
  const auto name = manifests_.put({.start = kStart,
                                    .end = kStart + std::chrono::minutes{1},
                                    .attempt = 3,
                                    .plugin = "cassandra",
                                    .plugin_data = {{"nodes", {1, 2}}},
                                    .snapshot_results = {&first_source, &second_source},
                                    .upload_results = {api::UploadResult{}}});
  EXPECT_EQ(name.full(), kName);
  EXPECT_EQ(store_.head(name.key())->metadata, codec_.metadata());
  const auto spooled = manifests_.open(name);
  std::vector<std::string> files;
  std::size_t hashes = 0;
  const auto manifest = spooled.read(
      {.file = [&](std::size_t node,
                   const api::SnapshotFile& file) { files.push_back(fmt::format("{} {}", node, file.relative_path)); },
       .hash = [&](std::size_t, const api::SnapshotHash&) { ++hashes; }});
  EXPECT_THAT(files, ElementsAre("0 file-0", "0 file-1", "0 file-2", "1 file-0"));
  EXPECT_EQ(hashes, 3U);
  EXPECT_EQ(manifest.start, kStart);
  EXPECT_EQ(manifest.end, kStart + std::chrono::minutes{1});
  EXPECT_EQ(manifest.attempt, 3);
  EXPECT_EQ(manifest.plugin, "cassandra");
  EXPECT_EQ(json::to_text(manifest.plugin_data), R"({"nodes":[1,2]})");
  EXPECT_EQ(manifest.upload_results.size(), 1U);
  EXPECT_EQ(manifest.filename, "");
  EXPECT_FALSE(manifest.tiered_storage_results);
}

TEST_F(ManifestsTest, CopiesTheNodesResultsAsTheyAre) {
  const std::string result = R"({"hostname": "h", "new_in_9": 1.50, "state": {}, "hashes": []})";
  const auto name = put_manifest(manifests_, kStart, {result});
  EXPECT_THAT(as_text(transform::testing::drain(*manifests_.open(name).text())), HasSubstr("[" + result + "]"));
}

TEST_F(ManifestsTest, BackupsOfOneSecondGetNamesOfTheirOwn) {
  for (int i = 0; i < 3; ++i) put_manifest(manifests_, kStart, {});
  put_manifest(manifests_, kStart, {}, BackupName::Kind::delta);
  EXPECT_THAT(full_names(manifests_),
              ElementsAre(kName, "backup-2026-11-23T22:40:26+00:00", "backup-2026-11-23T22:40:27+00:00",
                          "delta-2026-11-23T22:40:25+00:00"));
}

TEST_F(ManifestsTest, LosingTheRaceForANameIsTheSameAsItBeingTaken) {
  FaultyStore store{store_,
                    {.before =
                         [&](FaultyStore::Operation operation, const std::string& key) {
                           if (operation != FaultyStore::Operation::put || !key.ends_with(":25+00:00")) return;
                           MemorySource other{as_bytes("other")};  // between the look and the put
                           store_.put({key}, other, {}, storage::PutMode::replace);
                         },
                     .alter = {}}};
  Manifests manifests{store, codec_, {.storage = "x", .temporary_directory = directory_.path()}};
  EXPECT_EQ(put_manifest(manifests, kStart, {}).full(), "backup-2026-11-23T22:40:26+00:00");
  EXPECT_EQ(store_.head({std::string{"json/"} + kName})->size, 5U);
}

TEST_F(ManifestsTest, NeverWritesWhatCouldNotBeRead) {
  for (const std::string result : {"", "{", "{}]", "5", R"({"hashes":[{"hexdigest":"x","size":1}]})",
                                   R"({"state":{"files":[{"relative_path":"f"}]}})", "{},{}"}) {
    EXPECT_THROW(put_manifest(manifests_, kStart, {result}), Error) << result;
  }
  EXPECT_THAT(full_names(manifests_), IsEmpty());
}

TEST_F(ManifestsTest, SyncsTheStoreAfterTheManifest) {
  std::vector<FaultyStore::Operation> operations;
  FaultyStore store{
      store_,
      {.before = [&](FaultyStore::Operation operation, const std::string&) { operations.push_back(operation); },
       .alter = {}}};
  Manifests manifests{store, codec_, {.storage = "x", .temporary_directory = directory_.path()}};
  put_manifest(manifests, kStart, {});
  EXPECT_THAT(operations,
              ElementsAre(FaultyStore::Operation::head, FaultyStore::Operation::put, FaultyStore::Operation::sync));
}

TEST_F(ManifestsTest, SaysWhichBackupInWhichStorageIsNotThere) {
  const auto open = [&] { manifests_.open(BackupName::parse(kName).value()); };
  EXPECT_EQ(kind_of_error(open), ErrorKind::not_found);
  EXPECT_EQ(error_message(open), fmt::format("there is no json/{} in storage x (memory:)", kName));
}

TEST_F(ManifestsTest, GivesNothingOfADamagedManifest) {
  const auto name = put_manifest(manifests_, kStart, {snapshot_result({"abc"})});
  FaultyStore store{store_, {.before = {}, .alter = [](const std::string&, Bytes& stored) {
                               stored.back() ^= std::byte{1};  // in the HMAC
                             }}};
  Manifests manifests{store, codec_, {.storage = "x", .temporary_directory = directory_.path(), .cache = cache_}};
  EXPECT_EQ(kind_of_error([&] { manifests.open(name); }), ErrorKind::corrupt);
  EXPECT_THAT(error_message([&] { manifests.open(name); }), HasSubstr(kName));
  EXPECT_FALSE(std::filesystem::exists(cache_ / "x"));
}

TEST_F(ManifestsTest, RemovesManifestsAndPassesOverThoseGone) {
  const auto name = put_manifest(manifests_, kStart, {});
  const std::vector both{name, BackupName::parse("gone").value()};
  manifests_.remove(both);
  EXPECT_THAT(full_names(manifests_), IsEmpty());
}

TEST_F(ManifestsTest, LeavesNothingInTheTemporaryDirectory) {
  manifests_.open(put_manifest(manifests_, kStart, {}));
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path() / "tmp"));
}

TEST_F(ManifestsTest, CachesWhatItWritesAndWhatItReads) {
  auto writer = with_cache(store_);
  const auto name = put_manifest(writer, kStart, {snapshot_result({"abc"})});
  const auto cached = cache_ / "x" / (std::string{kName} + ".json");
  const auto text = read_text(cached, 10'000);
  EXPECT_EQ(text, as_text(transform::testing::drain(*manifests_.open(name).text())));

  FaultyStore no_get{store_,
                     {.before =
                          [](FaultyStore::Operation operation, const std::string&) {
                            if (operation == FaultyStore::Operation::get) fail(ErrorKind::internal, "get");
                          },
                      .alter = {}}};
  EXPECT_EQ(with_cache(no_get).open(name).read().snapshot_results.size(), 1U);

  std::filesystem::remove(cached);
  writer.open(name);
  EXPECT_EQ(read_text(cached, 10'000), text);
  writer.remove({&name, 1});
  EXPECT_FALSE(std::filesystem::exists(cached));
}

TEST_F(ManifestsTest, ACachedManifestOfARemovedBackupIsNoBackup) {
  auto manifests = with_cache(store_);
  const auto name = put_manifest(manifests, kStart, {});
  manifests_.remove({&name, 1});  // by somebody else
  EXPECT_EQ(kind_of_error([&] { manifests.open(name); }), ErrorKind::not_found);
  EXPECT_FALSE(std::filesystem::is_empty(cache_ / "x"));
  manifests.list();
  EXPECT_TRUE(std::filesystem::is_empty(cache_ / "x"));
}

TEST_F(ManifestsTest, ACacheThatCannotBeWrittenIsNoFailure) {
  std::ofstream{cache_} << "a file";
  auto manifests = with_cache(store_);
  const auto name = put_manifest(manifests, kStart, {});
  EXPECT_NO_THROW(manifests.open(name).read());
  EXPECT_NO_THROW(manifests.list());
}

TEST_F(ManifestsTest, RefusesAStorageNameThatIsNoFolder) {
  for (const char* storage : {"", ".", "..", "a/b"}) {
    EXPECT_THROW(Manifests(store_, codec_, {.storage = storage, .temporary_directory = "/tmp", .cache = cache_}),
                 Error);
  }
}

}  // namespace
}  // namespace cherax::repository
