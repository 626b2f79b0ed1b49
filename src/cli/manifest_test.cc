#include <gmock/gmock.h>
#include <sys/stat.h>

#include "base/json.h"
#include "cli/fixture_for_tests.h"
#include "repository/testing.h"
#include "storage/local/local_store.h"

namespace cherax::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const std::filesystem::path kGolden = std::filesystem::path{CHERAX_VECTORS} / "golden/zstd-enc";

/// A storage that Astacus wrote: three nodes, three backups, zstd and encryption.
class GoldenManifestTest : public CommandTest {
 protected:
  GoldenManifestTest() {
    std::filesystem::copy(kGolden / "storage-x", directory_.path() / "x", std::filesystem::copy_options::recursive);
    open_storages_ = [this](const std::filesystem::path& config) {
      if (config != "server.yaml") fail(ErrorKind::invalid, "{}: no such file", config.string());
      std::map<std::string, std::unique_ptr<storage::ObjectStore>> stores;
      stores["x"] = std::make_unique<storage::LocalStore>(storage::LocalOptions{directory_.path() / "x", ""});
      auto codec = repository::testing::codec_options();
      codec.encryption_keys["rsa3072"] = repository::testing::key_pair("rsa3072");
      return std::make_unique<repository::Storages>("x", std::move(stores), codec, directory_.path() / "tmp",
                                                    std::nullopt);
    };
  }

  static std::string manifest_text(const std::string& name) {
    return read_text(kGolden / "manifests/x" / (name + ".json"), 1 << 20);
  }
  std::filesystem::path destination() const { return directory_.path() / "to"; }

  const std::string name_ = "backup-2026-11-24T00:10:31+00:00";
  storage::TemporaryDirectory directory_;
};

TEST_F(GoldenManifestTest, ListPrintsTheNames) {
  const auto ended = run({"manifest", "-c", "server.yaml", "list"});
  EXPECT_EQ(ended.code, ExitCode::success);
  EXPECT_EQ(ended.out,
            "backup-2026-11-24T00:10:29+00:00\nbackup-2026-11-24T00:10:30+00:00\nbackup-2026-11-24T00:10:31+00:00\n");
  EXPECT_EQ(json::parse(run({"manifest", "list", "-c", "server.yaml", "-s", "x", "--json"}).out).value(),
            json::parse(R"({"manifests":["backup-2026-11-24T00:10:29+00:00","backup-2026-11-24T00:10:30+00:00",
                                         "backup-2026-11-24T00:10:31+00:00"]})")
                .value());
}

TEST_F(GoldenManifestTest, DescribePrintsNumbers) {
  const auto ended = run({"manifest", "-c", "server.yaml", "describe", name_});
  EXPECT_EQ(ended.code, ExitCode::success) << ended.err;
  EXPECT_EQ(ended.out,
            "files manifest backup-2026-11-24T00:10:31+00:00\n"
            "===============================\n"
            "Started at: 2026-11-24T00:10:31.708823+00:00\n"
            "Finished at: 2026-11-24T00:10:31.862896+00:00\n"
            "Attempts: 1\n"
            "Snapshot #0 created at 2026-11-24T00:10:31.719393+00:00 contains 32 files (270197 bytes)\n"
            "Snapshot #1 created at 2026-11-24T00:10:31.719182+00:00 contains 4 files (73899 bytes)\n"
            "Snapshot #2 created at 2026-11-24T00:10:31.719040+00:00 contains 1 files (3000 bytes)\n"
            "Node #0 uploaded 31091 bytes out of 50000 (vm)\n"
            "Node #1 uploaded 3433 bytes out of 3000 (vm)\n");
}

TEST_F(GoldenManifestTest, DescribeAsJsonIsTheManifestWithoutItsLists) {
  const auto ended = run({"manifest", "-c", "server.yaml", "describe", name_, "--json"});
  const auto described = json::parse(ended.out).value();
  const auto manifest = json::parse(manifest_text(name_)).value();
  EXPECT_EQ(described.at("name"), name_.c_str());
  EXPECT_EQ(described.at("start"), manifest.at("start"));
  ASSERT_EQ(described.at("snapshot_results").as_array().size(), 3U);
  EXPECT_EQ(described.at("snapshot_results").at(0).at("total_size"),
            manifest.at("snapshot_results").at(0).at("total_size"));
  EXPECT_THAT(ended.out, Not(HasSubstr("relative_path")));
  EXPECT_FALSE(described.as_object().contains("plugin_data"));
}

TEST_F(GoldenManifestTest, DumpPrintsTheTextAsItIsStored) {
  const auto ended = run({"manifest", "-c", "server.yaml", "dump", name_});
  EXPECT_EQ(ended.code, ExitCode::success) << ended.err;
  EXPECT_EQ(json::parse(ended.out).value(), json::parse(manifest_text(name_)).value());
  EXPECT_EQ(std::ranges::count(ended.out, '\n'), 1);
}

TEST_F(GoldenManifestTest, DumpPrettyPrintsListsOnlyWhenAskedFor) {
  const auto without = run({"manifest", "-c", "server.yaml", "dump", "-p", name_});
  EXPECT_THAT(without.out, StartsWith("{\n  \"start\": "));
  EXPECT_THAT(without.out, HasSubstr("\"files\": \"<redacted, has "));
  EXPECT_THAT(without.out, HasSubstr("\"hashes\": \"<redacted, has "));
  const auto with = run({"manifest", "-c", "server.yaml", "dump", "--pretty", "-i", "1", "-F", "-H", name_});
  EXPECT_THAT(with.out, StartsWith("{\n \"start\": "));
  EXPECT_EQ(json::parse(with.out).value(), json::parse(manifest_text(name_)).value());
}

TEST_F(GoldenManifestTest, DownloadFilesFetchesWhatBeginsWithThePrefix) {
  const auto ended = run({"manifest", "-c", "server.yaml", "download-files", "--prefix", "", "--node", "0", name_,
                          destination().string()});
  ASSERT_EQ(ended.code, ExitCode::success) << ended.err;
  std::size_t files = 0;
  std::istringstream expected{read_text(kGolden / "expected/x" / name_ / "node1.jsonl", 1 << 20)};
  for (std::string line; std::getline(expected, line); ++files) {
    const auto file = json::parse(line).value();
    const auto path = destination() / file.at("path").as_string().c_str();
    const auto status = status_of(path);
    ASSERT_TRUE(status) << path;
    EXPECT_EQ(status->st_size, file.at("size").as_int64()) << path;
    EXPECT_EQ(status->st_mtim.tv_sec * 1'000'000'000 + status->st_mtim.tv_nsec, file.at("mtime_ns").as_int64()) << path;
  }
  EXPECT_GT(files, 5U);
  EXPECT_THAT(ended.out, StartsWith(fmt::format("{} files (", files)));

  const auto part = run({"manifest", "-c", "server.yaml", "download-files", "--prefix", "dup-small/", "--node", "0",
                         name_, (directory_.path() / "part").string(), "--json"});
  ASSERT_EQ(part.code, ExitCode::success) << part.err;
  for (const auto& entry : std::filesystem::directory_iterator{directory_.path() / "part"}) {
    EXPECT_EQ(entry.path().filename(), "dup-small");
  }
  EXPECT_GT(json::parse(part.out).value().at("files").as_int64(), 0);
}

TEST_F(GoldenManifestTest, DownloadFilesRefusesContentThatIsNotThatOfTheDigest) {
  for (const auto& entry : std::filesystem::directory_iterator{directory_.path() / "x/data"}) {
    if (entry.path().extension() == ".metadata") continue;
    auto text = read_text(entry.path(), 1 << 20);
    text.back() ^= 1;
    write_durably(entry.path(), text);
  }
  const auto ended = run({"manifest", "-c", "server.yaml", "download-files", "--prefix", "deep", "--node", "0", name_,
                          destination().string()});
  EXPECT_EQ(ended.code, ExitCode::failure);
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(ended.err, HasSubstr("data/"));
  for (const auto& entry : std::filesystem::recursive_directory_iterator{destination()}) {
    EXPECT_TRUE(entry.is_directory()) << entry.path();
  }
}

TEST_F(GoldenManifestTest, WhatCannotBeIsAFailureThatSaysSo) {
  const auto fails_with = [&](std::vector<std::string> arguments, const std::string& message) {
    arguments.insert(arguments.begin(), "manifest");
    const auto ended = run(arguments);
    EXPECT_EQ(ended.code, ExitCode::failure);
    EXPECT_EQ(ended.out, "");
    EXPECT_THAT(ended.err, HasSubstr(message));
  };
  fails_with({"-c", "none.yaml", "list"}, "none.yaml: no such file");
  fails_with({"-c", "server.yaml", "-s", "y", "list"}, "no storage is called \"y\"");
  fails_with({"-c", "server.yaml", "describe", "backup-2020-01-01T00:00:00+00:00"},
             "there is no json/backup-2020-01-01T00:00:00+00:00 in storage x");
  fails_with({"-c", "server.yaml", "dump", "../x"}, "cherax: ");
  const auto to = destination().string();
  fails_with({"-c", "server.yaml", "download-files", "--prefix", "", "--node", "3", name_, to},
             "has 3 nodes, counted from 0: there is no node 3");
  fails_with({"-c", "server.yaml", "download-files", "--prefix", "no/such", "--node", "0", name_, to},
             "has no file of node 0");
}

TEST_F(GoldenManifestTest, WhatIsMissingOnTheCommandLineIsAUsageError) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"manifest"},
           {"manifest", "list"},
           {"manifest", "-c", "server.yaml"},
           {"manifest", "-c", "server.yaml", "dump"},
           {"manifest", "-c", "server.yaml", "download-files", "--node", "0", name_, "to"},
           {"manifest", "-c", "server.yaml", "download-files", "--prefix", "", "--node", "0", name_}}) {
    EXPECT_EQ(run(arguments).code, ExitCode::usage);
  }
}

/// A storage in memory with one backup of one node, whose snapshot result the test writes.
class WrittenManifestTest : public CommandTest {
 protected:
  void store_backup(const json::array& files) {
    const repository::ObjectCodec codec{repository::testing::codec_options()};
    repository::Manifests manifests{
        store_, codec, {.storage = "x", .temporary_directory = directory_.path() / "tmp", .cache = std::nullopt}};
    const auto name = repository::testing::put_manifest(
        manifests, Timestamp{},
        {json::to_text(json::object{{"hostname", "n1"}, {"state", json::object{{"files", files}}}})});
    name_ = name.full();
    open_storages_ = [this](const std::filesystem::path&) {
      std::map<std::string, std::unique_ptr<storage::ObjectStore>> stores;
      stores["x"] = std::make_unique<Borrowed>(store_);
      return std::make_unique<repository::Storages>("x", std::move(stores), repository::testing::codec_options(),
                                                    directory_.path() / "tmp", std::nullopt);
    };
  }
  static json::object embedded(std::string_view path, std::string_view content) {
    return {{"relative_path", path},
            {"file_size", content.size()},
            {"mtime_ns", 1},
            {"content_b64", to_base64(as_bytes(content))}};
  }
  Ended download() {
    return run({"manifest", "-c", "f", "download-files", "--prefix", "", "--node", "0", name_, to_.string()});
  }

  /// The test's store, for a Storages that wants to own one.
  class Borrowed final : public storage::ObjectStore {
   public:
    explicit Borrowed(storage::ObjectStore& store) : store_(store) {}
    std::string describe() const override { return store_.describe(); }
    std::uint64_t put(const storage::ObjectKey& key, Source& source, const storage::Metadata& metadata,
                      storage::PutMode mode) override {
      return store_.put(key, source, metadata, mode);
    }
    bool get(const storage::ObjectKey& key, storage::ByteRange range, const OpenSink& open) override {
      return store_.get(key, range, open);
    }
    std::optional<storage::ObjectHead> head(const storage::ObjectKey& key) override { return store_.head(key); }
    void list(const std::string& prefix, const std::string& after, const Page& page) override {
      store_.list(prefix, after, page);
    }
    void remove(std::span<const storage::ObjectKey> keys) override { store_.remove(keys); }
    void sync() override {}
    storage::Capabilities capabilities() const override { return {}; }

   private:
    storage::ObjectStore& store_;
  };

  storage::TemporaryDirectory directory_;
  storage::MemoryStore store_;
  std::filesystem::path to_ = directory_.path() / "to";
  std::string name_;
};

TEST_F(WrittenManifestTest, DownloadFilesReplacesWhatIsThereAndLeavesTheRest) {
  std::filesystem::create_directory(to_);
  write_durably(to_ / "a", "old");
  write_durably(to_ / "other", "stays");
  store_backup({embedded("a", "new"), embedded("b/c", "")});
  const auto ended = download();
  ASSERT_EQ(ended.code, ExitCode::success) << ended.err;
  EXPECT_EQ(ended.out, fmt::format("2 files (3 B) are in {}\n", to_.string()));
  EXPECT_EQ(read_text(to_ / "a", 10), "new");
  EXPECT_EQ(read_text(to_ / "b/c", 10), "");
  EXPECT_EQ(read_text(to_ / "other", 10), "stays");
}

TEST_F(WrittenManifestTest, DownloadFilesRefusesPathsThatLeaveTheDestinationBeforeItWritesAnything) {
  for (const std::string_view path : {"../out", "/etc/passwd", "a/../../out", "a//b", ""}) {
    store_backup({embedded("good", "good"), embedded(path, "bad")});
    const auto ended = download();
    EXPECT_EQ(ended.code, ExitCode::failure) << path;
    EXPECT_THAT(ended.err, HasSubstr("is refused")) << path;
    EXPECT_FALSE(status_of(to_ / "good")) << path;
    EXPECT_FALSE(status_of(directory_.path() / "out")) << path;
  }
}

TEST_F(WrittenManifestTest, DownloadFilesRefusesAPathThroughASymbolicLink) {
  std::filesystem::create_directories(directory_.path() / "elsewhere");
  std::filesystem::create_directory(to_);
  std::filesystem::create_directory_symlink(directory_.path() / "elsewhere", to_ / "link");
  store_backup({embedded("link/file", "bad")});
  EXPECT_EQ(download().code, ExitCode::failure);
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path() / "elsewhere"));
}

}  // namespace
}  // namespace cherax::cli
