// Reads every object of the storages that Astacus wrote (tests/vectors/golden).

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <optional>

#include "transform/compress.h"
#include "transform/digest.h"
#include "transform/seal.h"
#include "transform/testing.h"

namespace cherax::transform {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kCap = 64 << 20;

struct StoredObject {
  fs::path path;
  std::optional<Algorithm> algorithm;
  std::optional<std::string> key_id;
};

StoredObject describe(const fs::path& sidecar) {
  const auto metadata = boost::json::parse(as_text(testing::read_bytes(sidecar))).as_object();
  StoredObject object{.path = sidecar.parent_path() / sidecar.stem()};
  if (const auto* name = metadata.if_contains("compression-algorithm"))
    object.algorithm = parse_algorithm(name->as_string()).value();
  if (const auto* id = metadata.if_contains("encryption-key-id")) object.key_id = std::string(id->as_string());
  return object;
}

std::vector<StoredObject> objects_in(const fs::path& folder) {
  std::vector<StoredObject> objects;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".metadata") objects.push_back(describe(entry.path()));
  }
  return objects;
}

Bytes read_object(const StoredObject& object, const testing::Chunks& chunks) {
  MemorySink plain(kCap);
  std::unique_ptr<Sink> decompressed;
  std::unique_ptr<Sink> opened;
  Sink* first = &plain;
  if (object.algorithm) {
    decompressed = decompress(*first, *object.algorithm, kCap);
    first = decompressed.get();
  }
  if (object.key_id) {
    opened = open(*first, testing::private_key(*object.key_id));
    first = opened.get();
  }
  testing::feed(*first, testing::read_bytes(object.path), chunks);
  return plain.bytes();
}

class Golden : public ::testing::TestWithParam<std::string> {
 protected:
  fs::path sample() const { return testing::vectors() / "golden" / GetParam(); }
};

TEST_P(Golden, DataObjectsHaveTheDigestOfTheirName) {
  const auto objects = objects_in(sample() / "storage-x/data");
  ASSERT_GE(objects.size(), 10U);
  for (const StoredObject& object : objects) {
    for (const testing::Chunks& chunks : {testing::Chunks{}, testing::Chunks{1000, 7}}) {
      const Bytes plain = read_object(object, chunks);
      MemorySource source(plain);
      EXPECT_EQ(digest_of(source).hex(), object.path.filename().string());
    }
  }
}

TEST_P(Golden, ManifestsAreThoseThatAstacusShows) {
  const auto objects = objects_in(sample() / "storage-x/json");
  ASSERT_FALSE(objects.empty());
  for (const StoredObject& object : objects) {
    const Bytes plain = testing::read_bytes(sample() / "manifests/x" / (object.path.filename().string() + ".json"));
    EXPECT_EQ(boost::json::parse(as_text(read_object(object, {}))), boost::json::parse(as_text(plain))) << object.path;
  }
}

TEST_P(Golden, UsesWhatItsNameSays) {
  for (const StoredObject& object : objects_in(sample() / "storage-x/data")) {
    const std::string compression = object.algorithm ? std::string(to_string(*object.algorithm)) : "";
    const std::string encryption = object.key_id ? (compression.empty() ? "enc-only" : "-enc") : "";
    EXPECT_EQ(compression + encryption, GetParam());
  }
}

INSTANTIATE_TEST_SUITE_P(Astacus, Golden, ::testing::Values("enc-only", "lzma", "snappy-enc", "zstd-enc"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace cherax::transform
