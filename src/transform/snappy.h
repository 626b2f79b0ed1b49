#pragma once

#include <cstdint>
#include <memory>

#include "base/stream.h"

namespace cherax::transform {

/// The snappy framing format (framing_format.txt of the snappy project), over libsnappy's block functions. See
/// compress.h.
std::unique_ptr<Source> compress_snappy(Source& plain);
std::unique_ptr<Sink> decompress_snappy(Sink& plain, std::uint64_t max_plain_size);

}  // namespace cherax::transform
