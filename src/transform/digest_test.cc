#include "transform/digest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "transform/testing.h"

namespace cherax::transform {
namespace {

using testing::ChunkedSource;
using testing::drain;
using testing::feed;
using ::testing::HasSubstr;
using testing::kind_of_error;
using testing::sample_bytes;

Digest digest_of_bytes(ByteView bytes) {
  MemorySource source(bytes);
  return digest_of(source);
}

class RecordingSink final : public Sink {
 public:
  void write(ByteView bytes) override { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  void finish() override { finished = true; }

  Bytes bytes_;
  bool finished = false;
};

TEST(Digest, IsPublishedBlake2sVector) {
  // RFC 7693, appendix B, and the BLAKE2 project's test vectors.
  EXPECT_EQ(digest_of_bytes(as_bytes("abc")).hex(), "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982");
  EXPECT_EQ(digest_of_bytes({}).hex(), "69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9");
  EXPECT_EQ(digest_of_bytes(as_bytes("The quick brown fox jumps over the lazy dog")).hex(),
            "606beeec743ccbeff6cbcdf5d5302aa855c256c29b88c8ed331ea1a6bf3c8812");
}

RC_GTEST_PROP(Digest, DependsNotOnChunking, (std::uint32_t seed)) {
  const Bytes bytes = sample_bytes(*rc::gen::inRange<std::size_t>(0, 400'000), seed);
  ChunkedSource source(
      bytes, *rc::gen::nonEmpty(rc::gen::container<testing::Chunks>(rc::gen::inRange<std::size_t>(1, 200'000))));
  RC_ASSERT(digest_of(source) == digest_of_bytes(bytes));
}

RC_GTEST_PROP(VerifyingSource, PassesOnWhatMatches, (std::uint32_t seed)) {
  const Bytes bytes = sample_bytes(*rc::gen::inRange<std::size_t>(0, 1000), seed);
  MemorySource inner(bytes);
  VerifyingSource source(inner, digest_of_bytes(bytes), bytes.size());
  RC_ASSERT(drain(source, {*rc::gen::inRange<std::size_t>(1, 1200)}) == bytes);
  std::byte one;
  RC_ASSERT(source.read({&one, 1}) == 0U);
}

TEST(VerifyingSource, RefusesAnotherContentOfTheSameSize) {
  const Bytes bytes = sample_bytes(100, 1);
  for (std::size_t changed = 0; changed < bytes.size(); ++changed) {
    Bytes other = bytes;
    other[changed] ^= std::byte{1};
    MemorySource inner(other);
    VerifyingSource source(inner, digest_of_bytes(bytes), bytes.size());
    EXPECT_EQ(kind_of_error([&] { drain(source, {30}); }), ErrorKind::corrupt);
  }
}

TEST(VerifyingSource, KeepsBackTheLastByteOfWrongContent) {
  const Bytes bytes = sample_bytes(100, 1);
  MemorySource inner(bytes);
  VerifyingSource source(inner, Digest{}, bytes.size());
  Bytes buffer(99);
  EXPECT_EQ(source.read(buffer), 99U);
  EXPECT_EQ(kind_of_error([&] { source.read(buffer); }), ErrorKind::corrupt);
  EXPECT_EQ(kind_of_error([&] { source.read(buffer); }), ErrorKind::corrupt) << "again when it is asked again";
}

TEST(VerifyingSource, RefusesAnEarlyEnd) {
  const Bytes bytes = sample_bytes(100, 1);
  MemorySource inner(ByteView{bytes}.first(60));
  VerifyingSource source(inner, digest_of_bytes(ByteView{bytes}.first(60)), bytes.size());
  EXPECT_EQ(kind_of_error([&] { drain(source); }), ErrorKind::corrupt);
}

TEST(VerifyingSource, RefusesTheFirstByteTooMany) {
  const Bytes bytes = sample_bytes(100, 1);
  MemorySource inner(bytes);
  VerifyingSource source(inner, digest_of_bytes(ByteView{bytes}.first(60)), 60);
  Bytes buffer(60);
  EXPECT_EQ(source.read(buffer), 60U);
  EXPECT_EQ(kind_of_error([&] { source.read(buffer); }), ErrorKind::corrupt);
}

TEST(VerifyingSource, RefusesWhatShouldBeEmpty) {
  MemorySource inner(as_bytes("x"));
  VerifyingSource source(inner, digest_of_bytes({}), 0);
  EXPECT_EQ(kind_of_error([&] { drain(source); }), ErrorKind::corrupt);
}

TEST(VerifyingSource, NamesBothDigests) {
  MemorySource inner(as_bytes("abd"));
  const Digest expected = digest_of_bytes(as_bytes("abc"));
  VerifyingSource source(inner, expected, 3);
  try {
    drain(source);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr(expected.hex()));
    EXPECT_THAT(error.message(), HasSubstr(digest_of_bytes(as_bytes("abd")).hex()));
  }
}

TEST(VerifyingSink, PassesOnAndFinishesWhatMatches) {
  const Bytes bytes = sample_bytes(1000, 2);
  RecordingSink inner;
  VerifyingSink sink(inner, digest_of_bytes(bytes), bytes.size());
  feed(sink, bytes, {7, 300});
  EXPECT_EQ(inner.bytes_, bytes);
  EXPECT_TRUE(inner.finished);
}

TEST(VerifyingSink, DoesNotFinishWhatDiffers) {
  const Bytes bytes = sample_bytes(1000, 2);
  const Digest digest = digest_of_bytes(bytes);
  Bytes other = bytes;
  other[999] ^= std::byte{0x80};
  for (const ByteView given : {ByteView{other}, ByteView{bytes}.first(999), ByteView{}}) {
    RecordingSink inner;
    VerifyingSink sink(inner, digest, bytes.size());
    EXPECT_EQ(kind_of_error([&] { feed(sink, given, {100}); }), ErrorKind::corrupt);
    EXPECT_FALSE(inner.finished);
  }
}

TEST(VerifyingSink, PassesOnNothingBeyondTheSize) {
  const Bytes bytes = sample_bytes(1000, 2);
  RecordingSink inner;
  VerifyingSink sink(inner, digest_of_bytes(bytes), 950);
  EXPECT_EQ(kind_of_error([&] { feed(sink, bytes, {100}); }), ErrorKind::corrupt);
  EXPECT_EQ(inner.bytes_.size(), 900U);
}

}  // namespace
}  // namespace cherax::transform
