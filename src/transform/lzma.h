#pragma once

#include <cstdint>
#include <memory>

#include "base/stream.h"
#include "transform/level_range.h"

namespace cherax::transform {

LevelRange lzma_levels();
/// See compress.h.
std::unique_ptr<Source> compress_lzma(Source& plain, int level);
std::unique_ptr<Sink> decompress_lzma(Sink& plain, std::uint64_t max_plain_size);

}  // namespace cherax::transform
