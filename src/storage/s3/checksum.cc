#include "storage/s3/checksum.h"

#include "transform/crc32c.h"

namespace cherax::storage::s3 {

namespace {

void append_big_endian(Bytes& bytes, std::uint32_t number) {
  for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<std::byte>(number >> shift));
}

}  // namespace

std::string format_crc32c(std::uint32_t crc) {
  Bytes bytes;
  append_big_endian(bytes, crc);
  return to_base64(bytes);
}

std::string composite_crc32c(std::span<const std::uint32_t> parts) {
  Bytes bytes;
  for (const std::uint32_t part : parts) append_big_endian(bytes, part);
  return fmt::format("{}-{}", format_crc32c(transform::crc32c(bytes)), parts.size());
}

}  // namespace cherax::storage::s3
