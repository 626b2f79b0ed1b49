#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/stream.h"
#include "transform/level_range.h"

namespace cherax::transform {

LevelRange zstd_levels();
/// See compress.h. The window is at most 2^27 bytes at every level: Astacus refuses larger ones.
std::unique_ptr<Source> compress_zstd(Source& plain, int level, std::optional<std::uint64_t> plain_size);
std::unique_ptr<Sink> decompress_zstd(Sink& plain, std::uint64_t max_plain_size);

}  // namespace cherax::transform
