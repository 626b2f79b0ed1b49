#include "transform/seal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "transform/compress.h"
#include "transform/digest.h"
#include "transform/testing.h"

namespace cherax::transform {
namespace {

using testing::ChunkedSource;
using testing::Chunks;
using testing::drain;
using testing::feed;
using testing::kind_of_error;
using testing::sample_bytes;

constexpr std::size_t kNoCap = 1 << 30;
constexpr std::size_t kHeader1024 = 8 + 128;  // magic, length, wrapped keys under a key of 1024 bits
constexpr std::size_t kMac = 32;

const PublicKey& public_1024() {
  static const PublicKey key = testing::public_key("rsa1024");
  return key;
}

const PrivateKey& private_1024() {
  static const PrivateKey key = testing::private_key("rsa1024");
  return key;
}

Bytes sealed(ByteView plain, const PublicKey& key = public_1024()) {
  MemorySource source(plain);
  return drain(*seal(source, key));
}

Bytes opened(ByteView bytes, const PrivateKey& key = private_1024(), const Chunks& chunks = {}) {
  MemorySink plain(kNoCap);
  feed(*open(plain, key), bytes, chunks);
  return plain.bytes();
}

rc::Gen<Chunks> chunkings() {
  const auto sizes = rc::gen::oneOf(rc::gen::inRange<std::size_t>(1, 100), rc::gen::inRange<std::size_t>(1, 300'000));
  return rc::gen::oneOf(rc::gen::just(Chunks{}), rc::gen::nonEmpty(rc::gen::container<Chunks>(sizes)));
}

rc::Gen<std::size_t> sizes_near_boundaries() {
  const auto near = [](std::size_t boundary) {
    return rc::gen::inRange(boundary - std::min<std::size_t>(boundary, 2), boundary + 3);
  };
  return rc::gen::oneOf(near(0), near(16), near(32), near(131072 - 32), near(131072), near(131072 + 32), near(262144),
                        rc::gen::inRange<std::size_t>(0, 400'000));
}

Bytes flipped(Bytes bytes, std::size_t bit) {
  bytes[bit / 8] ^= std::byte{1} << (bit % 8);
  return bytes;
}

RC_GTEST_PROP(Seal, IsUndoneByOpenWhateverTheChunks, (std::uint32_t seed)) {
  const Bytes plain = sample_bytes(*sizes_near_boundaries(), seed);
  ChunkedSource source(plain, *chunkings());
  const Bytes stored = drain(*seal(source, public_1024()), *chunkings());
  RC_ASSERT(stored.size() == (plain.empty() ? 0 : kHeader1024 + plain.size() + kMac));
  RC_ASSERT(opened(stored, private_1024(), *chunkings()) == plain);
}

TEST(Seal, IsUndoneUnderALongerKey) {
  const Bytes plain = sample_bytes(1000, 1);
  const Bytes stored = sealed(plain, testing::public_key("rsa3072"));
  EXPECT_EQ(stored.size(), 8 + 384 + plain.size() + kMac);
  EXPECT_EQ(opened(stored, testing::private_key("rsa3072"), {1}), plain);
}

TEST(Seal, MakesNothingOfNothing) {
  EXPECT_EQ(sealed({}), Bytes{});
  EXPECT_EQ(opened({}), Bytes{});
}

TEST(Seal, StaysAtItsEnd) {
  MemorySource source(as_bytes("content"));
  const auto stage = seal(source, public_1024());
  drain(*stage);
  std::byte one;
  EXPECT_EQ(stage->read({&one, 1}), 0U);
}

TEST(Seal, StartsWithMagicAndLength) {
  const Bytes stored = sealed(as_bytes("x"));
  EXPECT_EQ(as_text(ByteView{stored}.first(6)), "pghoa1");
  EXPECT_EQ(to_hex(ByteView{stored}.subspan(6, 2)), "0080");
}

TEST(Seal, UsesNewKeysForEachObject) {
  const Bytes plain(64);
  std::set<Bytes> ciphertexts;
  for (int i = 0; i < 20; ++i) {
    const Bytes stored = sealed(plain);
    ciphertexts.emplace(stored.begin() + kHeader1024, stored.end() - kMac);
  }
  EXPECT_EQ(ciphertexts.size(), 20U);
  EXPECT_FALSE(ciphertexts.contains(plain));
}

TEST(Open, SaysThatTheKeyIsWrong) {
  const Bytes stored = sealed(sample_bytes(1000, 1));
  EXPECT_EQ(kind_of_error([&] { opened(stored, testing::private_key("rsa3072")); }), ErrorKind::denied)
      << "another size";
  const testing::detail::Key generated(EVP_RSA_gen(1024), EVP_PKEY_free);
  const testing::detail::Bio pem(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_PKCS8PrivateKey(pem.get(), generated.get(), nullptr, nullptr, 0, nullptr, nullptr);
  const PrivateKey other = PrivateKey::from_pem(testing::detail::text_of(pem)).value();
  EXPECT_EQ(kind_of_error([&] { opened(stored, other); }), ErrorKind::denied) << "the same size";
}

TEST(Open, SaysThatTheObjectIsDamaged) {
  const Bytes stored = sealed(sample_bytes(1000, 1));
  const auto kind = [&](std::size_t byte) { return kind_of_error([&] { opened(flipped(stored, byte * 8)); }); };
  EXPECT_EQ(kind(0), ErrorKind::corrupt) << "magic";
  EXPECT_EQ(kind(kHeader1024), ErrorKind::corrupt) << "first byte of the ciphertext";
  EXPECT_EQ(kind(stored.size() - kMac - 1), ErrorKind::corrupt) << "last byte of the ciphertext";
  EXPECT_EQ(kind(stored.size() - 1), ErrorKind::corrupt) << "HMAC";
}

TEST(Open, RefusesWhatIsNotSealed) {
  EXPECT_EQ(kind_of_error([&] { opened(sample_bytes(1000, 1)); }), ErrorKind::corrupt);
  EXPECT_EQ(kind_of_error([&] { opened(as_bytes("p")); }), ErrorKind::corrupt);
}

TEST(Open, RefusesEveryCutOffObject) {
  const Bytes stored = sealed(sample_bytes(100, 1));
  for (std::size_t size = 1; size < stored.size(); ++size) {
    EXPECT_EQ(kind_of_error([&] { opened(ByteView{stored}.first(size)); }), ErrorKind::corrupt) << size;
  }
}

TEST(Open, RefusesBytesAddedAtTheEnd) {
  Bytes stored = sealed(sample_bytes(100, 1));
  stored.push_back(std::byte{0});
  EXPECT_EQ(kind_of_error([&] { opened(stored); }), ErrorKind::corrupt);
}

class Unfinished final : public Sink {
 public:
  void write(ByteView) override {}
  void finish() override { finished = true; }
  bool finished = false;
};

TEST(Open, DoesNotFinishTheNextStageOfADamagedObject) {
  const Bytes stored = sealed(sample_bytes(100, 1));
  Unfinished next;
  EXPECT_EQ(kind_of_error([&] { feed(*open(next, private_1024()), flipped(stored, kHeader1024 * 8)); }),
            ErrorKind::corrupt);
  EXPECT_FALSE(next.finished);
}

// The whole way back, as a restore has it: open, decompress, verify.

Bytes stored_object(ByteView plain, Algorithm algorithm) {
  MemorySource source(plain);
  const auto compressed = compress(source, {algorithm, 0}, plain.size());
  return drain(*seal(*compressed, public_1024()));
}

Bytes restored(ByteView object, Algorithm algorithm, Digest digest, std::uint64_t size) {
  MemorySink file(kNoCap);
  VerifyingSink verified(file, digest, size);
  const auto decompressed = decompress(verified, algorithm, size);
  feed(*open(*decompressed, private_1024()), object);
  return file.bytes();
}

class WholeObject : public ::testing::TestWithParam<Algorithm> {};

TEST_P(WholeObject, IsRefusedWithAnyOneBitFlipped) {
  const Bytes plain = sample_bytes(300, 1);
  MemorySource source(plain);
  const Digest digest = digest_of(source);
  const Bytes object = stored_object(plain, GetParam());
  ASSERT_EQ(restored(object, GetParam(), digest, plain.size()), plain);
  for (std::size_t bit = 0; bit < object.size() * 8; ++bit) {
    kind_of_error([&] { restored(flipped(object, bit), GetParam(), digest, plain.size()); });  // throws when none is
  }
}

TEST_P(WholeObject, IsRefusedAtEveryShorterLength) {
  const Bytes plain = sample_bytes(300, 1);
  MemorySource source(plain);
  const Digest digest = digest_of(source);
  const Bytes object = stored_object(plain, GetParam());
  for (std::size_t size = 0; size < object.size(); ++size) {
    EXPECT_EQ(kind_of_error([&] { restored(ByteView{object}.first(size), GetParam(), digest, plain.size()); }),
              ErrorKind::corrupt);
  }
}

TEST_P(WholeObject, IsRefusedWithAnyOneBitOfALargeOneFlipped) {
  const Bytes plain = sample_bytes(300'000, 4);
  MemorySource source(plain);
  const Digest digest = digest_of(source);
  const Bytes object = stored_object(plain, GetParam());
  EXPECT_TRUE(rc::check([&] {
    const auto bit = *rc::gen::inRange<std::size_t>(0, object.size() * 8);
    kind_of_error([&] { restored(flipped(object, bit), GetParam(), digest, plain.size()); });
  }));
}

INSTANTIATE_TEST_SUITE_P(Seal, WholeObject, ::testing::Values(Algorithm::zstd, Algorithm::snappy, Algorithm::lzma),
                         [](const auto& info) { return std::string(to_string(info.param)); });

}  // namespace
}  // namespace cherax::transform
