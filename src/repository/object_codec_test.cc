#include "repository/object_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "repository/testing.h"

namespace cherax::repository {
namespace {

using testing::error_message;
using testing::key_pair;
using testing::kind_of_error;
using transform::Algorithm;
using transform::testing::drain;
using transform::testing::feed;

Bytes encode(const ObjectCodec& codec, const Bytes& plain) {
  MemorySource source{plain};
  return drain(*codec.encode(source, plain.size()));
}

Bytes decode(const ObjectCodec& codec, const storage::Metadata& metadata, const Bytes& stored, std::size_t max_size) {
  MemorySink plain{max_size};
  feed(*codec.decode(plain, metadata, max_size), stored);
  return plain.bytes();
}

const std::map<std::string, EncryptionKeyPair> kKeys{{"rsa1024", key_pair("rsa1024")},
                                                     {"rsa3072", key_pair("rsa3072")}};

std::vector<CodecOptions> every_combination() {
  std::vector<CodecOptions> all;
  const std::optional<transform::Compression> compressions[] = {std::nullopt, transform::Compression{Algorithm::zstd},
                                                                transform::Compression{Algorithm::snappy},
                                                                transform::Compression{Algorithm::lzma, 1}};
  for (const auto& compression : compressions) {
    for (const char* id : {"", "rsa1024", "rsa3072"}) {
      CodecOptions options{.compression = compression, .encryption_keys = kKeys};
      if (*id) options.encryption_key_id = id;
      if (compression || *id) all.push_back(options);
    }
  }
  return all;
}

TEST(ObjectCodec, ReadsWhatAnyConfigurationWrote) {
  const ObjectCodec reader{{.compression = transform::Compression{}, .encryption_keys = kKeys}};
  for (const CodecOptions& options : every_combination()) {
    const ObjectCodec writer{options};
    EXPECT_EQ(writer.metadata().size(), (options.compression ? 1U : 0U) + (options.encryption_key_id ? 1U : 0U));
    for (const std::size_t size : {0, 1, 200, 300'000}) {
      const Bytes plain = transform::testing::sample_bytes(size, 3);
      EXPECT_EQ(decode(reader, writer.metadata(), encode(writer, plain), size), plain);
    }
  }
}

TEST(ObjectCodec, NamesWhatItDidInAstacusWords) {
  EXPECT_EQ(ObjectCodec{testing::codec_options()}.metadata(),
            (storage::Metadata{{"compression-algorithm", "zstd"}, {"encryption-key-id", "rsa1024"}}));
}

TEST(ObjectCodec, ReadsAnObjectWithoutMetadataAsItIs) {
  const ObjectCodec codec{testing::codec_options()};
  const Bytes plain = transform::testing::sample_bytes(100, 1);
  EXPECT_EQ(decode(codec, {}, plain, 100), plain);
}

TEST(ObjectCodec, RefusesAConfigurationThatCannotWork) {
  EXPECT_EQ(kind_of_error([] { ObjectCodec{{}}; }), ErrorKind::invalid);
  EXPECT_THAT(error_message([] { ObjectCodec{{.encryption_key_id = "a", .encryption_keys = kKeys}}; }),
              ::testing::HasSubstr("encryption_key_id is \"a\""));
  EXPECT_EQ(kind_of_error([] {
              ObjectCodec{{.compression = transform::Compression{Algorithm::zstd, 99}}};
            }),
            ErrorKind::invalid);
  const auto message = error_message([] {
    ObjectCodec{{.compression = transform::Compression{}, .encryption_keys = {{"k", {"SECRET", "SECRET"}}}}};
  });
  EXPECT_THAT(message, ::testing::StartsWith("encryption_keys.k: "));
  EXPECT_THAT(message, ::testing::Not(::testing::HasSubstr("SECRET")));
}

TEST(ObjectCodec, WritesButDoesNotReadWithoutThePrivateKey) {
  const ObjectCodec codec{{.encryption_key_id = "k", .encryption_keys = {{"k", {key_pair("rsa1024").public_key, ""}}}}};
  const Bytes stored = encode(codec, transform::testing::sample_bytes(10, 1));
  EXPECT_THAT(error_message([&] { decode(codec, codec.metadata(), stored, 10); }),
              ::testing::HasSubstr("no private key of that id"));
}

TEST(ObjectCodec, SaysWhichKeyOrAlgorithmItLacks) {
  const ObjectCodec codec{testing::codec_options()};
  EXPECT_THAT(error_message([&] {
                decode(codec, {{"encryption-key-id", "old"}}, {}, 10);
              }),
              ::testing::HasSubstr("\"old\""));
  EXPECT_EQ(kind_of_error([&] { decode(codec, {{"compression-algorithm", "brotli"}}, {}, 10); }), ErrorKind::invalid);
}

TEST(ObjectCodec, NeverGivesMoreThanAskedFor) {
  const ObjectCodec codec{testing::codec_options()};
  const Bytes stored = encode(codec, Bytes(1'000'000));
  EXPECT_EQ(kind_of_error([&] { decode(codec, codec.metadata(), stored, 999'999); }), ErrorKind::corrupt);
}

}  // namespace
}  // namespace cherax::repository
