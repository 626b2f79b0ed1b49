// The storages that Astacus wrote (tests/vectors/golden), read through the whole repository.

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <set>

#include "repository/garbage.h"
#include "repository/presence.h"
#include "repository/summary.h"
#include "repository/testing.h"
#include "storage/local/local_store.h"

namespace cherax::repository {
namespace {

namespace fs = std::filesystem;

class Golden : public ::testing::TestWithParam<std::string> {
 protected:
  static fs::path sample() { return transform::testing::vectors() / "golden" / GetParam(); }
  static json::value read_json(const fs::path& path) {
    return boost::json::parse(as_text(transform::testing::read_bytes(path)));
  }
  std::unique_ptr<Repository> open(const fs::path& directory) {
    auto store = std::make_unique<storage::LocalStore>(storage::LocalOptions{.directory = directory});
    return std::make_unique<Repository>(
        "x", std::move(store), codec_,
        ManifestsOptions{.storage = "x", .temporary_directory = directory_.path() / "tmp", .cache = std::nullopt});
  }

  storage::TemporaryDirectory directory_;
  ObjectCodec codec_{
      {.compression = transform::Compression{},
       .encryption_key_id = std::nullopt,
       .encryption_keys = {{"rsa1024", testing::key_pair("rsa1024")}, {"rsa3072", testing::key_pair("rsa3072")}}}};
  std::unique_ptr<Repository> storage_ = open(sample() / "storage-x");
};

TEST_P(Golden, EveryManifestIsThePlainOne) {
  const auto names = storage_->manifests().list();
  ASSERT_FALSE(names.empty());
  for (const BackupName& name : names) {
    const auto spooled = storage_->manifests().open(name);
    const auto expected = read_json(sample() / "manifests/x" / (name.full() + ".json"));
    EXPECT_EQ(boost::json::parse(as_text(transform::testing::drain(*spooled.text()))), expected);

    std::size_t files = 0, hashes = 0;
    const auto manifest = spooled.read({.file = [&](std::size_t, const api::SnapshotFile&) { ++files; },
                                        .hash = [&](std::size_t, const api::SnapshotHash&) { ++hashes; }});
    std::size_t expected_files = 0, expected_hashes = 0;
    for (const auto& result : expected.at("snapshot_results").as_array()) {
      if (const auto* list = result.at("state").as_object().if_contains("files"))
        expected_files += list->as_array().size();
      expected_hashes += result.at("hashes").as_array().size();
    }
    EXPECT_EQ(files, expected_files);
    EXPECT_EQ(hashes, expected_hashes);
    EXPECT_GT(files, 0U);
    EXPECT_EQ(manifest.snapshot_results.size(), expected.at("snapshot_results").as_array().size());
  }
}

TEST_P(Golden, EveryBlobIsThereAndItsContentIsVerified) {
  std::map<Digest, std::uint64_t> blobs;
  for (const BackupName& name : storage_->manifests().list()) {
    storage_->manifests().open(name).read(
        {.file = {}, .hash = [&](std::size_t, const api::SnapshotHash& hash) { blobs[hash.hexdigest] = hash.size; }});
  }
  std::vector<Digest> digests;
  for (const auto& [digest, size] : blobs) {
    MemorySink sink{1 << 20};
    storage_->reader().fetch(digest, size, sink);
    EXPECT_EQ(sink.bytes().size(), size);
    digests.push_back(digest);
  }
  std::size_t present = 0;
  find_present(storage_->store(), {.count = digests.size(), .at = [&](std::size_t i) { return digests[i]; }},
               [&](std::size_t, Timestamp) { ++present; });
  EXPECT_EQ(present, digests.size());
  EXPECT_GT(present, 0U);
}

TEST_P(Golden, SummaryIsWhatAstacusListed) {
  const auto expected = read_json(sample() / "list.json").at("storages").as_array().at(0).at("backups").as_array();
  const auto names = storage_->manifests().list();
  ASSERT_EQ(names.size(), expected.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto entry = json::to_value(summarize(names[i], storage_->manifests().open(names[i])));
    EXPECT_EQ(boost::json::serialize(entry), boost::json::serialize(expected[i]));
  }
}

TEST_P(Golden, CleanupFindsNoGarbage) {
  fs::copy(sample() / "storage-x", directory_.path() / "copy", fs::copy_options::recursive);
  const auto copy = open(directory_.path() / "copy");
  const auto result = collect_garbage(copy->store(), copy->manifests(), {}, system_clock().now(), {.gc_grace = {}});
  EXPECT_EQ(result.removed, 0U);
  EXPECT_GT(result.kept, 0U);
}

INSTANTIATE_TEST_SUITE_P(Samples, Golden, ::testing::Values("zstd-enc", "snappy-enc", "lzma", "enc-only"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace cherax::repository
