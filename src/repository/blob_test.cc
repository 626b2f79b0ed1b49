#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "repository/layout.h"
#include "repository/testing.h"
#include "storage/local/local_store.h"
#include "storage/memory/faulty_store.h"

namespace cherax::repository {
namespace {

using storage::FaultyStore;
using testing::digest_of;
using testing::error_message;
using ::testing::HasSubstr;
using testing::kind_of_error;

/// Whether it was finished, and how much it got.
class WatchedSink final : public Sink {
 public:
  void write(ByteView bytes) override { text.append(as_text(bytes)); }
  void finish() override { finished = true; }
  std::string text;
  bool finished = false;
};

class BlobTest : public testing::RepositoryTest {
 protected:
  std::string fetch(storage::ObjectStore& store, const Digest& digest, std::uint64_t size) {
    WatchedSink sink;
    BlobReader{store, codec_}.fetch(digest, size, sink);
    EXPECT_TRUE(sink.finished);
    return sink.text;
  }
};

using BlobWriterTest = BlobTest;
using BlobReaderTest = BlobTest;

TEST_F(BlobTest, GivesBackWhatWasStored) {
  for (const std::size_t size : {0, 1, 201, 1'000'000}) {
    const Bytes bytes = transform::testing::sample_bytes(size, 5);
    const std::string text{as_text(bytes)};
    const auto stored = store_blob(text);
    EXPECT_EQ(fetch(store_, digest_of(text), size), text);
    EXPECT_EQ(store_.head(blob_key(digest_of(text)))->size, stored);
  }
}

TEST_F(BlobWriterTest, StoresNothingUnderAWrongDigest) {
  const std::string text(100'000, 'x');
  for (const auto& [content, size] : {std::pair{text + "y", text.size()}, std::pair{text + "y", text.size() + 1},
                                      std::pair{text.substr(1), text.size()}, std::pair{std::string{}, text.size()}}) {
    MemorySource source{as_bytes(content)};
    const auto store = [&] { BlobWriter(store_, codec_).store(digest_of(text), size, source); };
    EXPECT_EQ(kind_of_error(store), ErrorKind::corrupt);
    EXPECT_FALSE(has_blob(text));
  }
}

TEST_F(BlobWriterTest, ErrorsOfTheContentNameTheObjectAndTheStore) {
  MemorySource source{as_bytes("b")};
  EXPECT_THAT(error_message([&] { BlobWriter(store_, codec_).store(digest_of("a"), 1, source); }),
              ::testing::StartsWith("the content for data/" + digest_of("a").hex() + " in memory:: "));
}

TEST_F(BlobWriterTest, LeavesWhatIsThereAlone) {
  const auto stored = store_blob("abc");
  const auto before = store_.head(blob_key(digest_of("abc")));
  clock_.advance(std::chrono::hours{1});
  EXPECT_EQ(store_blob("abc"), stored);
  EXPECT_EQ(store_.head(blob_key(digest_of("abc")))->modified, before->modified);
}

TEST_F(BlobWriterTest, AnImmutableFileIsCheckedBetweenItsLastByteAndTheCommit) {
  const std::string text(300'000, 'x');
  MemorySource source{as_bytes(text)};
  bool checked = false;
  BlobWriter(store_, codec_).store_immutable(digest_of(text), text.size(), source, [&] {
    EXPECT_FALSE(has_blob(text));
    Bytes buffer(1);
    EXPECT_EQ(source.read(buffer), 0U) << "all bytes must have been read";
    checked = true;
  });
  EXPECT_TRUE(checked);
  EXPECT_EQ(fetch(store_, digest_of(text), text.size()), text);
}

TEST_F(BlobWriterTest, AnImmutableFileThatChangedIsNotStored) {
  const auto store = [&](std::string_view content, std::uint64_t size, const std::function<void()>& check) {
    MemorySource source{as_bytes(content)};
    return kind_of_error([&] { BlobWriter(store_, codec_).store_immutable(digest_of("abc"), size, source, check); });
  };
  const auto unchanged = [] {};
  EXPECT_EQ(store("ab", 3, unchanged), ErrorKind::corrupt);
  EXPECT_EQ(store("abcd", 3, unchanged), ErrorKind::corrupt);
  EXPECT_EQ(store("abc", 3, [] { fail(ErrorKind::transient, "its mtime changed"); }), ErrorKind::transient);
  EXPECT_FALSE(has_blob("abc"));
}

TEST_F(BlobWriterTest, StoresABlobAgainThatACrashLeftHalf) {
  storage::LocalStore local{{.directory = directory_.path() / "store"}};
  const auto key = blob_key(digest_of("abc")).text;
  std::filesystem::create_directories(directory_.path() / "store/data");
  std::ofstream{directory_.path() / "store" / key} << "ha";
  std::ofstream{directory_.path() / "store" / (key + ".metadata")} << R"({"_size": 400})";
  MemorySource source{as_bytes("abc")};
  BlobWriter{local, codec_}.store(digest_of("abc"), 3, source);
  EXPECT_EQ(fetch(local, digest_of("abc"), 3), "abc");
}

TEST_F(BlobReaderTest, SaysThatAnObjectIsMissing) {
  const auto read = [&] { fetch(store_, digest_of("abc"), 3); };
  EXPECT_EQ(kind_of_error(read), ErrorKind::not_found);
  EXPECT_THAT(error_message(read), HasSubstr("data/" + digest_of("abc").hex() + " in memory: is missing"));
}

TEST_F(BlobReaderTest, NeverFinishesWhatIsNotTheContent) {
  const std::string text(1000, 'x');
  store_blob(text);
  const auto stored_size = static_cast<std::size_t>(store_.head(blob_key(digest_of(text)))->size);
  std::vector<std::function<void(Bytes&)>> damages;
  for (std::size_t at = 0; at < stored_size; at += 13) {
    damages.push_back([at](Bytes& bytes) { bytes[at] ^= std::byte{1}; });
    damages.push_back([at](Bytes& bytes) { bytes.resize(at); });
  }
  damages.push_back([](Bytes& bytes) { bytes.push_back({}); });
  for (const auto& damage : damages) {
    FaultyStore store{store_, {.alter = [&](const std::string&, Bytes& stored) { damage(stored); }}};
    WatchedSink sink;
    const auto read = [&] { BlobReader(store, codec_).fetch(digest_of(text), text.size(), sink); };
    EXPECT_THAT(kind_of_error(read), ::testing::AnyOf(ErrorKind::corrupt, ErrorKind::denied));
    EXPECT_FALSE(sink.finished);
    EXPECT_LE(sink.text.size(), text.size());
    EXPECT_THAT(error_message(read), ::testing::StartsWith("data/" + digest_of(text).hex() + " in memory:: "));
  }
}

TEST_F(BlobReaderTest, CapsAContentThatIsLargerThanTheManifestSays) {
  const std::string text(1'000'000, 'x');
  store_blob(text);
  WatchedSink sink;
  EXPECT_EQ(kind_of_error([&] { BlobReader(store_, codec_).fetch(digest_of(text), 1000, sink); }), ErrorKind::corrupt);
  EXPECT_LE(sink.text.size(), 1000U);
  EXPECT_FALSE(sink.finished);
}

TEST_F(BlobReaderTest, RefusesTheContentOfAnotherDigest) {
  store_blob("abc");
  storage::MemoryStore swapped;
  MemorySink stored{10'000};
  storage::Metadata metadata;
  store_.get(blob_key(digest_of("abc")), {}, [&](const storage::ObjectHead& head) -> Sink& {
    metadata = head.metadata;
    return stored;
  });
  MemorySource source{stored.bytes()};
  swapped.put(blob_key(digest_of("xyz")), source, metadata, storage::PutMode::replace);
  EXPECT_EQ(kind_of_error([&] { fetch(swapped, digest_of("xyz"), 3); }), ErrorKind::corrupt);
}

}  // namespace
}  // namespace cherax::repository
