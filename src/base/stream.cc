#include "base/stream.h"

namespace cherax {

std::uint64_t pump(Source& source, Sink& sink) {
  Bytes buffer(kStreamBuffer);
  std::uint64_t total = 0;
  while (const std::size_t size = source.read(buffer)) {
    sink.write(ByteView{buffer}.first(size));
    total += size;
  }
  sink.finish();
  return total;
}

std::size_t read_full(Source& source, MutableByteView buffer) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const std::size_t size = source.read(buffer.subspan(filled));
    if (size == 0) break;
    filled += size;
  }
  return filled;
}

}  // namespace cherax
