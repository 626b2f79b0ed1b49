#define ZSTD_STATIC_LINKING_ONLY  // for ZSTD_getFrameHeader and ZSTD_getCParams

#include "transform/compress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lzma.h>
#include <rapidcheck/gtest.h>
#include <zstd.h>

#include "transform/crc32c.h"
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

constexpr std::array kAlgorithms{Algorithm::zstd, Algorithm::snappy, Algorithm::lzma};
constexpr std::size_t kNoCap = 1 << 30;

rc::Gen<Chunks> chunkings() {
  const auto sizes = rc::gen::oneOf(rc::gen::inRange<std::size_t>(1, 100), rc::gen::inRange<std::size_t>(1, 200'000));
  return rc::gen::oneOf(rc::gen::just(Chunks{}), rc::gen::nonEmpty(rc::gen::container<Chunks>(sizes)));
}

/// Around the sizes where a buffer, a snappy chunk or a zstd block ends.
rc::Gen<std::size_t> sizes_near_boundaries() {
  const auto near = [](std::size_t boundary) {
    return rc::gen::inRange(boundary - std::min<std::size_t>(boundary, 2), boundary + 3);
  };
  return rc::gen::oneOf(near(0), near(65536), near(131072), near(196608), near(262144),
                        rc::gen::inRange<std::size_t>(0, 400'000));
}

Bytes compressed(ByteView plain, Algorithm algorithm, std::optional<std::uint64_t> plain_size = {}, int level = 0) {
  MemorySource source(plain);
  return drain(*compress(source, {algorithm, level}, plain_size));
}

Bytes decompressed(ByteView bytes, Algorithm algorithm, std::uint64_t cap = kNoCap, const Chunks& chunks = {}) {
  MemorySink plain(kNoCap);
  feed(*decompress(plain, algorithm, cap), bytes, chunks);
  return plain.bytes();
}

Bytes joined(std::initializer_list<ByteView> parts) {
  Bytes all;
  for (const ByteView part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

Bytes flipped(Bytes bytes, std::size_t bit) {
  bytes[bit / 8] ^= std::byte{1} << (bit % 8);
  return bytes;
}

/// Whether the damaged bytes give exactly `plain`, or an Error{corrupt}: nothing else may happen.
bool refused_or_right(ByteView damaged, Algorithm algorithm, const Bytes& plain) {
  MemorySink sink(kNoCap);
  MemorySource whole(plain);
  VerifyingSink verified(sink, digest_of(whole), plain.size());
  try {
    feed(*decompress(verified, algorithm, plain.size()), damaged);
    return sink.bytes() == plain;
  } catch (const Error& error) {
    return error.kind() == ErrorKind::corrupt;
  }
}

RC_GTEST_PROP(Compress, IsUndoneByDecompressWhateverTheChunks, (std::uint32_t seed)) {
  const auto algorithm = *rc::gen::elementOf(kAlgorithms);
  const Bytes plain = sample_bytes(*sizes_near_boundaries(), seed);
  ChunkedSource source(plain, *chunkings());
  const auto announced = *rc::gen::arbitrary<bool>() ? std::optional<std::uint64_t>(plain.size()) : std::nullopt;
  const Bytes stored = drain(*compress(source, {algorithm, 0}, announced), *chunkings());
  RC_ASSERT(decompressed(stored, algorithm, plain.size(), *chunkings()) == plain);
}

RC_GTEST_PROP(Compress, IsUndoneAtEachLevel, (std::uint32_t seed)) {
  const Bytes plain = sample_bytes(10'000, seed);
  const int zstd_level = *rc::gen::inRange(-7, 23);
  RC_ASSERT(decompressed(compressed(plain, Algorithm::zstd, plain.size(), zstd_level), Algorithm::zstd) == plain);
  const int preset = *rc::gen::inRange(0, 7);
  RC_ASSERT(decompressed(compressed(plain, Algorithm::lzma, {}, preset), Algorithm::lzma) == plain);
}

TEST(Compress, StaysAtItsEnd) {
  for (const Algorithm algorithm : kAlgorithms) {
    MemorySource source(as_bytes("content"));
    const auto stage = compress(source, {algorithm, 0}, {});
    drain(*stage);
    std::byte one;
    EXPECT_EQ(stage->read({&one, 1}), 0U) << to_string(algorithm);
  }
}

TEST(Compress, RefusesLevelsThatThereAreNot) {
  MemorySource source({});
  for (const Compression compression :
       {Compression{Algorithm::zstd, 23}, Compression{Algorithm::lzma, 10}, Compression{Algorithm::lzma, -1}}) {
    EXPECT_EQ(kind_of_error([&] { compress(source, compression, {}); }), ErrorKind::invalid);
  }
  EXPECT_NO_THROW(require_valid({Algorithm::snappy, 99})) << "snappy has no levels, and the configuration's is ignored";
}

TEST(Compress, NamesItsAlgorithms) {
  for (const Algorithm algorithm : kAlgorithms) EXPECT_EQ(parse_algorithm(to_string(algorithm)).value(), algorithm);
  EXPECT_EQ(parse_algorithm("gzip").error().kind(), ErrorKind::invalid);
  EXPECT_EQ(parse_algorithm("").error().kind(), ErrorKind::invalid);
}

TEST(Zstd, WritesOneFrameWithChecksumAndSize) {
  const Bytes plain = sample_bytes(1'000'000, 1);
  for (const std::optional<std::uint64_t> size :
       {std::optional<std::uint64_t>(plain.size()), std::optional<std::uint64_t>{}}) {
    const Bytes stored = compressed(plain, Algorithm::zstd, size);
    EXPECT_EQ(ZSTD_findFrameCompressedSize(stored.data(), stored.size()), stored.size());
    ZSTD_frameHeader header;
    ASSERT_EQ(ZSTD_getFrameHeader(&header, stored.data(), stored.size()), 0U);
    EXPECT_EQ(header.checksumFlag, 1U);
    EXPECT_EQ(header.frameContentSize, size.value_or(ZSTD_CONTENTSIZE_UNKNOWN));
    EXPECT_LE(header.windowSize, 1U << 27);
  }
}

TEST(Zstd, HasNoLevelWithALargerWindowThanAstacusReads) {
  for (int level = -10; level <= ZSTD_maxCLevel(); ++level)
    EXPECT_LE(ZSTD_getCParams(level, 0, 0).windowLog, 27U) << level;
}

TEST(Zstd, LevelZeroIsLevelThree) {
  const Bytes plain = sample_bytes(100'000, 1);
  EXPECT_EQ(compressed(plain, Algorithm::zstd, {}, 0), compressed(plain, Algorithm::zstd, {}, 3));
}

TEST(Zstd, RefusesContentOfAnotherSizeThanAnnounced) {
  const Bytes plain = sample_bytes(1000, 1);
  EXPECT_EQ(kind_of_error([&] { compressed(plain, Algorithm::zstd, 999); }), ErrorKind::corrupt);
  EXPECT_EQ(kind_of_error([&] { compressed(plain, Algorithm::zstd, 1001); }), ErrorKind::corrupt);
}

TEST(Decompress, ReadsConcatenatedStreamsAsOne) {
  const Bytes first = sample_bytes(70'000, 1);
  const Bytes second = sample_bytes(300'000, 2);
  const Bytes none;
  for (const Algorithm algorithm : kAlgorithms) {
    const Bytes stored =
        joined({compressed(none, algorithm), compressed(first, algorithm), compressed(second, algorithm)});
    for (const Chunks& chunks : {Chunks{}, Chunks{1}, Chunks{1000}}) {
      EXPECT_EQ(decompressed(stored, algorithm, kNoCap, chunks), joined({first, second})) << to_string(algorithm);
    }
  }
}

TEST(Decompress, SkipsSkippableZstdFrames) {
  const Bytes skippable = *from_hex("5c2a4d1803000000ffffff");
  const Bytes plain = sample_bytes(1000, 1);
  const Bytes stored = joined({skippable, compressed(plain, Algorithm::zstd), skippable});
  for (const Chunks& chunks : {Chunks{}, Chunks{1}})
    EXPECT_EQ(decompressed(stored, Algorithm::zstd, kNoCap, chunks), plain);
}

TEST(Decompress, RefusesWhatFollowsTheLastStream) {
  const Bytes plain = sample_bytes(1000, 1);
  for (const Algorithm algorithm : kAlgorithms) {
    for (const std::string_view garbage : {"x", "garbage, and more of it", "\x28", "\xff"}) {
      const Bytes stored = joined({compressed(plain, algorithm), as_bytes(garbage)});
      EXPECT_EQ(kind_of_error([&] { decompressed(stored, algorithm); }), ErrorKind::corrupt)
          << to_string(algorithm) << garbage;
    }
  }
}

TEST(Decompress, RefusesEveryCutOffInput) {
  const Bytes plain = sample_bytes(3000, 1);
  for (const Algorithm algorithm : {Algorithm::zstd, Algorithm::lzma}) {
    const Bytes stored = compressed(plain, algorithm);
    for (std::size_t size = 0; size < stored.size(); ++size) {
      EXPECT_EQ(kind_of_error([&] { decompressed(ByteView{stored}.first(size), algorithm); }), ErrorKind::corrupt)
          << size;
    }
  }
}

TEST(Decompress, RefusesSnappyThatIsCutWithinAChunk) {
  const Bytes stored = compressed(sample_bytes(3000, 1), Algorithm::snappy);
  constexpr std::size_t kIdentifierChunk = 10;
  for (std::size_t size = 1; size < stored.size(); ++size) {
    if (size == kIdentifierChunk) continue;
    EXPECT_EQ(kind_of_error([&] { decompressed(ByteView{stored}.first(size), Algorithm::snappy); }), ErrorKind::corrupt)
        << size;
  }
}

TEST(Decompress, NeverGivesWrongBytesForOneFlippedBit) {
  const Bytes plain = sample_bytes(1300, 2);
  for (const Algorithm algorithm : kAlgorithms) {
    const Bytes stored = compressed(plain, algorithm, plain.size());
    for (std::size_t bit = 0; bit < stored.size() * 8; ++bit) {
      EXPECT_TRUE(refused_or_right(flipped(stored, bit), algorithm, plain)) << to_string(algorithm) << " bit " << bit;
    }
  }
}

RC_GTEST_PROP(Decompress, RefusesNoise, (std::vector<std::uint8_t> noise)) {
  RC_PRE(!noise.empty());
  for (const Algorithm algorithm : kAlgorithms) {
    RC_ASSERT(kind_of_error([&] { decompressed(std::as_bytes(std::span{noise}), algorithm); }) == ErrorKind::corrupt);
  }
}

RC_GTEST_PROP(Decompress, RefusesOrReadsRightWhatWasOverwrittenAnywhere, (std::uint32_t seed)) {
  const auto algorithm = *rc::gen::elementOf(kAlgorithms);
  const Bytes plain = sample_bytes(200'000, seed);
  Bytes stored = compressed(plain, algorithm);
  const auto junk = *rc::gen::nonEmpty<std::vector<std::uint8_t>>();
  const auto offset = *rc::gen::inRange<std::size_t>(0, stored.size());
  for (std::size_t i = 0; i < junk.size() && offset + i < stored.size(); ++i) stored[offset + i] = std::byte{junk[i]};
  RC_ASSERT(refused_or_right(stored, algorithm, plain));
}

TEST(Decompress, StopsABombAtTheCap) {
  const Bytes zeros(64 << 20);
  constexpr std::size_t kCap = 1 << 20;
  for (const Algorithm algorithm : kAlgorithms) {
    const Bytes bomb = compressed(zeros, algorithm);
    MemorySink plain(kCap);  // would say `invalid` if it got more
    const auto stage = decompress(plain, algorithm, kCap);
    EXPECT_EQ(kind_of_error([&] { feed(*stage, bomb); }), ErrorKind::corrupt) << to_string(algorithm);
  }
}

TEST(Decompress, AcceptsExactlyTheCap) {
  const Bytes plain = sample_bytes(200'000, 1);
  for (const Algorithm algorithm : kAlgorithms) {
    const Bytes stored = compressed(plain, algorithm);
    EXPECT_EQ(decompressed(stored, algorithm, plain.size()), plain);
    EXPECT_EQ(kind_of_error([&] { decompressed(stored, algorithm, plain.size() - 1); }), ErrorKind::corrupt);
  }
}

TEST(Decompress, RefusesAZstdWindowOver128MiB) {
  // Frame header without content size: descriptor, window descriptor (exponent in the upper 5 bits, from 2^10).
  const auto frame = [](unsigned window_log) {
    return joined(
        {*from_hex("28b52ffd00"), Bytes{static_cast<std::byte>((window_log - 10) << 3)}, *from_hex("010000")});
  };
  EXPECT_EQ(decompressed(frame(27), Algorithm::zstd), Bytes{});
  EXPECT_EQ(kind_of_error([&] { decompressed(frame(28), Algorithm::zstd); }), ErrorKind::corrupt);
}

TEST(Decompress, RefusesFormatsOfZstdBefore1) {
  for (const std::string_view magic :
       {"22b52ffd", "23b52ffd", "24b52ffd", "25b52ffd", "26b52ffd", "27b52ffd", "1eb52ffd"}) {
    EXPECT_EQ(kind_of_error([&] { decompressed(*from_hex(magic), Algorithm::zstd); }), ErrorKind::corrupt) << magic;
  }
}

TEST(Decompress, RefusesAnLzmaDictionaryOver128MiB) {
  Bytes stored = compressed(sample_bytes(1000, 1), Algorithm::lzma);
  // After the stream header of 12 bytes comes the block header: its size / 4 - 1, flags, filter 0x21, 1, dictionary
  // size.
  constexpr std::size_t kBlock = 12;
  const std::size_t header_size = (std::to_integer<std::size_t>(stored[kBlock]) + 1) * 4;
  ASSERT_EQ(stored[kBlock + 2], std::byte{0x21});
  stored[kBlock + 4] = std::byte{40};  // 4 GiB - 1
  const std::uint32_t crc = lzma_crc32(as_unsigned(ByteView{stored}) + kBlock, header_size - 4, 0);
  for (std::size_t i = 0; i < 4; ++i) stored[kBlock + header_size - 4 + i] = static_cast<std::byte>(crc >> (8 * i));
  try {
    decompressed(stored, Algorithm::lzma);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::corrupt);
    EXPECT_THAT(error.message(), ::testing::HasSubstr("128 MiB"));
  }
}

// The snappy framing format, chunk by chunk.

Bytes chunk(std::uint8_t type, ByteView body) {
  Bytes header(4);
  header[0] = std::byte{type};
  for (std::size_t i = 0; i < 3; ++i) header[1 + i] = static_cast<std::byte>(body.size() >> (8 * i));
  return joined({header, body});
}

const Bytes kIdentifier = *from_hex("ff060000734e61507059");

Bytes uncompressed_chunk(ByteView plain) {
  const std::uint32_t crc = crc32c(plain);
  const std::uint32_t masked = ((crc >> 15) | (crc << 17)) + 0xa282ead8;
  Bytes checksum(4);
  for (std::size_t i = 0; i < 4; ++i) checksum[i] = static_cast<std::byte>(masked >> (8 * i));
  return chunk(1, joined({checksum, plain}));
}

TEST(Snappy, StartsWithItsIdentifierAndCompressesWhatItCan) {
  const Bytes zeros(200'000);
  const Bytes stored = compressed(zeros, Algorithm::snappy);
  EXPECT_TRUE(std::ranges::equal(ByteView{stored}.first(10), kIdentifier));
  EXPECT_EQ(stored[10], std::byte{0});
  EXPECT_LT(stored.size(), 20'000U);
}

TEST(Snappy, KeepsNoiseUncompressed) {
  Bytes noise;
  for (std::uint32_t seed = 0; noise.size() < 65536; seed += 3) {
    const Bytes more = sample_bytes(900, seed);
    noise.insert(noise.end(), more.begin(), more.end());
  }
  noise.resize(65536);
  EXPECT_EQ(compressed(noise, Algorithm::snappy), joined({kIdentifier, uncompressed_chunk(noise)}));
}

TEST(Snappy, ReadsAnEmptyObjectAsEmpty) {
  // What Astacus stores for an empty file under snappy: its encoder writes the identifier together with the
  // first chunk only.
  EXPECT_EQ(decompressed({}, Algorithm::snappy), Bytes{});
  EXPECT_EQ(compressed({}, Algorithm::snappy), kIdentifier);
}

TEST(Snappy, SkipsPaddingAndSkippableChunks) {
  const Bytes stored =
      joined({kIdentifier, chunk(0xfe, Bytes(300)), uncompressed_chunk(as_bytes("one")), chunk(0x80, Bytes(200'000)),
              chunk(0xfd, {}), kIdentifier, uncompressed_chunk({}), uncompressed_chunk(as_bytes(" two"))});
  for (const Chunks& chunks : {Chunks{}, Chunks{1}, Chunks{1000}}) {
    EXPECT_EQ(as_text(decompressed(stored, Algorithm::snappy, kNoCap, chunks)), "one two");
  }
}

TEST(Snappy, RefusesChunksThatAreNotRight) {
  const Bytes plain = sample_bytes(65537, 1);
  const Bytes four(4);
  const Bytes claims_4_gib = *from_hex("ffffffff0f00");  // the plain length comes first in a block
  const std::vector<std::pair<std::string, Bytes>> cases{
      {"does not start with a stream identifier", uncompressed_chunk(as_bytes("one"))},
      {"does not start with a stream identifier", joined({chunk(0xfe, {}), kIdentifier})},
      {"identifier is not \"sNaPpY\"", chunk(0xff, as_bytes("SnApPy"))},
      {"a chunk of 7 bytes", chunk(0xff, as_bytes("sNaPpYy"))},
      {"unknown type 0x02", joined({kIdentifier, chunk(0x02, {})})},
      {"unknown type 0x7f", joined({kIdentifier, chunk(0x7f, {})})},
      {"a chunk of 3 bytes", joined({kIdentifier, chunk(0x01, Bytes(3))})},
      {"a chunk of 4 bytes", joined({kIdentifier, chunk(0x00, four)})},
      {"a chunk of 65541 bytes", joined({kIdentifier, uncompressed_chunk(plain)})},
      {"a chunk of 80000 bytes", joined({kIdentifier, chunk(0x00, Bytes(80'000))})},
      {"a compressed chunk is damaged", joined({kIdentifier, chunk(0x00, joined({four, claims_4_gib}))})},
      {"the checksum of a chunk differs", joined({kIdentifier, chunk(0x01, joined({four, as_bytes("one")}))})},
  };
  for (const auto& [words, stored] : cases) {
    try {
      decompressed(stored, Algorithm::snappy);
      ADD_FAILURE() << words;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::corrupt);
      EXPECT_THAT(error.message(), ::testing::HasSubstr(words));
    }
  }
}

}  // namespace
}  // namespace cherax::transform
