#pragma once

#include <array>
#include <compare>
#include <cstring>
#include <functional>

#include "base/bytes.h"

namespace cherax {

/// BLAKE2s-256 of a file's plain bytes: its identity in the repository. Computed in transform/digest.h.
struct Digest {
  static constexpr std::size_t kSize = 32;

  std::array<std::byte, kSize> bytes{};

  std::string hex() const { return to_hex(bytes); }
  /// Exactly 64 lower-case hex digits.
  static Result<Digest> from_hex(std::string_view text);
  /// Exactly 32 bytes.
  static Result<Digest> from_bytes(ByteView bytes);

  auto operator<=>(const Digest&) const = default;
};

}  // namespace cherax

template <>
struct std::hash<cherax::Digest> {
  std::size_t operator()(const cherax::Digest& digest) const noexcept {
    std::size_t value;
    std::memcpy(&value, digest.bytes.data(), sizeof value);  // the bytes are uniformly distributed already
    return value;
  }
};
