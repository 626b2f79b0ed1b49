#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace cherax::transform {

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4), as the snappy framing format wants it. Written here because Debian 12
/// packages no C++ library that has it (Abseil gained it later, Boost.CRC goes bit by bit or byte by byte), and because
/// it is one processor instruction where speed matters.
std::uint32_t crc32c(ByteView bytes);

/// The same without the instruction: one table look-up a byte.
std::uint32_t crc32c_portable(ByteView bytes);

}  // namespace cherax::transform
