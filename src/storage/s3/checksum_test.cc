#include "storage/s3/checksum.h"

#include <gtest/gtest.h>

#include "transform/crc32c.h"

namespace cherax::storage::s3 {
namespace {

TEST(Checksum, IsBase64OfTheHighestByteFirst) {
  EXPECT_EQ(format_crc32c(0xe3069283), "4waSgw==");  // of "123456789"
  EXPECT_EQ(format_crc32c(0), "AAAAAA==");
}

TEST(Checksum, OfAMultipartUploadIsThatOfItsPartsChecksums) {
  // From a bit-by-bit CRC-32C in Python over the same parts.
  const std::vector<std::uint32_t> parts{transform::crc32c(as_bytes("123456789")), transform::crc32c(as_bytes("hello")),
                                         transform::crc32c({})};
  EXPECT_EQ(composite_crc32c(parts), "jczp6Q==-3");
}

}  // namespace
}  // namespace cherax::storage::s3
