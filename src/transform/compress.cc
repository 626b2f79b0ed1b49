#include "transform/compress.h"

#include "transform/lzma.h"
#include "transform/snappy.h"
#include "transform/zstd.h"

namespace cherax::transform {

std::string_view to_string(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::zstd:
      return "zstd";
    case Algorithm::snappy:
      return "snappy";
    case Algorithm::lzma:
      return "lzma";
  }
  return "unknown";
}

Result<Algorithm> parse_algorithm(std::string_view name) {
  for (const Algorithm algorithm : {Algorithm::zstd, Algorithm::snappy, Algorithm::lzma}) {
    if (name == to_string(algorithm)) return algorithm;
  }
  return make_error(ErrorKind::invalid, "the compression algorithms are zstd, snappy and lzma, not \"{}\"",
                    name.substr(0, 80));
}

void require_valid(const Compression& compression) {
  if (compression.algorithm == Algorithm::snappy) return;
  const LevelRange range = compression.algorithm == Algorithm::zstd ? zstd_levels() : lzma_levels();
  if (compression.level >= range.lowest && compression.level <= range.highest) return;
  fail(ErrorKind::invalid, "the levels of {} are {} to {}, not {}", to_string(compression.algorithm), range.lowest,
       range.highest, compression.level);
}

std::unique_ptr<Source> compress(Source& plain, const Compression& compression,
                                 std::optional<std::uint64_t> plain_size) {
  require_valid(compression);
  switch (compression.algorithm) {
    case Algorithm::zstd:
      return compress_zstd(plain, compression.level, plain_size);
    case Algorithm::snappy:
      return compress_snappy(plain);
    case Algorithm::lzma:
      return compress_lzma(plain, compression.level);
  }
  fail(ErrorKind::internal, "unknown compression algorithm {}", static_cast<int>(compression.algorithm));
}

std::unique_ptr<Sink> decompress(Sink& plain, Algorithm algorithm, std::uint64_t max_plain_size) {
  switch (algorithm) {
    case Algorithm::zstd:
      return decompress_zstd(plain, max_plain_size);
    case Algorithm::snappy:
      return decompress_snappy(plain, max_plain_size);
    case Algorithm::lzma:
      return decompress_lzma(plain, max_plain_size);
  }
  fail(ErrorKind::internal, "unknown compression algorithm {}", static_cast<int>(algorithm));
}

}  // namespace cherax::transform
