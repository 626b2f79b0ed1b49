#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace cherax::cassandra::cql {

/// Reads the notations of section 3 of the protocol from untrusted bytes. Reading past the end yields zeros and empty
/// views and clears good(), which is looked at once, at the end (and in loops whose count came from the bytes).
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}

  bool good() const { return good_; }
  std::size_t remaining() const { return rest_.size(); }
  void fail() {
    good_ = false;
    rest_ = {};
  }

  ByteView take(std::size_t size) {
    if (size > rest_.size()) {
      fail();
      return {};
    }
    const ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  std::uint8_t byte() { return static_cast<std::uint8_t>(big_endian(1)); }
  std::uint16_t short_() { return static_cast<std::uint16_t>(big_endian(2)); }
  std::int32_t int_() { return static_cast<std::int32_t>(big_endian(4)); }
  std::int64_t long_() { return static_cast<std::int64_t>(big_endian(8)); }
  std::string string() { return std::string{as_text(take(short_()))}; }

  struct MaybeBytes {
    bool is_null = true;
    ByteView bytes;
  };
  /// [bytes]: a negative length is null.
  MaybeBytes bytes() {
    const std::int32_t size = int_();
    if (size < 0) return {};
    return {false, take(static_cast<std::size_t>(size))};
  }

 private:
  std::uint64_t big_endian(std::size_t size) {
    std::uint64_t value = 0;
    for (std::byte byte : take(size)) value = value << 8 | std::to_integer<std::uint64_t>(byte);
    return value;
  }

  ByteView rest_;
  bool good_ = true;
};

}  // namespace cherax::cassandra::cql
