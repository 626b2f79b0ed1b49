#include "base/digest.h"

#include <algorithm>

namespace cherax {

Result<Digest> Digest::from_bytes(ByteView bytes) {
  if (bytes.size() != kSize)
    return make_error(ErrorKind::invalid, "a digest has {} bytes, not {}", kSize, bytes.size());
  Digest digest;
  std::ranges::copy(bytes, digest.bytes.begin());
  return digest;
}

Result<Digest> Digest::from_hex(std::string_view text) {
  const bool upper = std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'F'; });
  if (text.size() != 2 * kSize || upper) {
    return make_error(ErrorKind::invalid, "a digest is {} lower-case hex digits, not \"{}\"", 2 * kSize,
                      text.substr(0, 80));
  }
  auto bytes = cherax::from_hex(text);
  if (!bytes) return bytes.error();
  return from_bytes(*bytes);
}

}  // namespace cherax
