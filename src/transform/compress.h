#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/stream.h"

namespace cherax::transform {

/// The names are those of an object's metadata and of the configuration (docs/format.md).
enum class Algorithm { zstd, snappy, lzma };

std::string_view to_string(Algorithm algorithm);
/// Error{invalid} names the three that there are.
Result<Algorithm> parse_algorithm(std::string_view name);

struct Compression {
  Algorithm algorithm = Algorithm::zstd;
  int level = 0;  ///< zstd: -131072 to 22, 0 is 3. lzma: the preset, 0 to 9. snappy: ignored.
};

/// Error{invalid} when the algorithm has no such level.
void require_valid(const Compression& compression);

/// The compressed bytes of `plain`, which must outlive the stage. zstd: one frame with checksum, and with the content
/// size when `plain_size` is given (then a source of another size is Error{corrupt}). snappy: the framing format.
/// lzma: one .xz stream with CRC64.
/// Memory, whatever the size of the content: zstd level 3: 4 MiB, 19: 90 MiB, 22: 780 MiB, less when `plain_size` is
/// small; lzma preset 0: 3 MiB, 6: 95 MiB, 9: 675 MiB; snappy 0.5 MiB.
std::unique_ptr<Source> compress(Source& plain, const Compression& compression,
                                 std::optional<std::uint64_t> plain_size);

/// Decompresses what is written to it into `plain`, which must outlive the stage, and finishes that. The input may be
/// hostile: whatever is not whole and valid, and more than `max_plain_size` bytes of output, is Error{corrupt}; `plain`
/// never gets more. Several frames or streams one after another are read as one; bytes after them that are none are
/// refused. The snappy format has no end mark: there a cut between two chunks (or an empty input) goes unseen here, so
/// a VerifyingSink must follow. Memory: zstd what the frame's window asks for, at most 128 MiB; lzma at most 128 MiB;
/// snappy 0.3 MiB.
std::unique_ptr<Sink> decompress(Sink& plain, Algorithm algorithm, std::uint64_t max_plain_size);

}  // namespace cherax::transform
