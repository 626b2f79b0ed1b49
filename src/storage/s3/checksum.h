#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.h"

/// The CRC-32C that S3 verifies on arrival and keeps:
/// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
namespace cherax::storage::s3 {

/// As in x-amz-checksum-crc32c: base64 of the four bytes, the highest first. The sum itself is transform/crc32c.h's.
std::string format_crc32c(std::uint32_t crc);

/// What S3 calls the composite checksum of a multipart upload: the CRC-32C of the parts' CRC-32Cs one after the other,
/// then '-' and how many they are. It is the default for CRC-32C, and spares combining sums of unequal lengths, which
/// none of our libraries can do for this polynomial.
std::string composite_crc32c(std::span<const std::uint32_t> parts);

}  // namespace cherax::storage::s3
