#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/digest.h"
#include "base/stream.h"

namespace cherax::snapshot {

Digest digest_of_bytes(ByteView bytes);

/// The digest of the next `size` bytes; nullopt when the source ends before. `read(count)` is called after each piece
/// and may throw to end it.
std::optional<Digest> digest_of_first(Source& source, std::uint64_t size,
                                      const std::function<void(std::uint64_t)>& read);

}  // namespace cherax::snapshot
