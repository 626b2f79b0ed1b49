#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace cherax {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;
using MutableByteView = std::span<std::byte>;

inline ByteView as_bytes(std::string_view text) { return std::as_bytes(std::span{text.data(), text.size()}); }
inline std::string_view as_text(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
inline const unsigned char* as_unsigned(ByteView bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }
inline unsigned char* as_unsigned(MutableByteView bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

/// Lower-case hex, two digits a byte.
std::string to_hex(ByteView bytes);
/// Accepts lower and upper case; anything else, or an odd length, is Error{invalid}.
Result<Bytes> from_hex(std::string_view text);

/// RFC 4648 base64 with padding, in one line.
std::string to_base64(ByteView bytes);
/// Strict: padding required, no white space.
Result<Bytes> from_base64(std::string_view text);

}  // namespace cherax
