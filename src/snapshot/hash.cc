#include "snapshot/hash.h"

#include <algorithm>

#include "transform/digest.h"

namespace cherax::snapshot {

Digest digest_of_bytes(ByteView bytes) {
  transform::Digester digester;
  digester.update(bytes);
  return digester.finish();
}

std::optional<Digest> digest_of_first(Source& source, std::uint64_t size,
                                      const std::function<void(std::uint64_t)>& read) {
  transform::Digester digester;
  Bytes buffer(std::min<std::uint64_t>(std::max<std::uint64_t>(size, 1), kStreamBuffer));
  while (size > 0) {
    const MutableByteView room{buffer.data(), std::min<std::uint64_t>(buffer.size(), size)};
    const std::size_t count = source.read(room);
    if (count == 0) return std::nullopt;
    digester.update(room.first(count));
    read(count);
    size -= count;
  }
  return digester.finish();
}

}  // namespace cherax::snapshot
