#include "transform/stage.h"

#include <cstring>

namespace cherax::transform {

std::size_t StagedSource::read(MutableByteView buffer) {
  if (offset_ == staged_.size() && !ended_) {
    staged_.clear();
    offset_ = 0;
    refill();
    ended_ = staged_.empty();
  }
  const ByteView rest = ByteView{staged_}.subspan(offset_);
  const std::size_t size = std::min(rest.size(), buffer.size());
  if (size > 0) std::memcpy(buffer.data(), rest.data(), size);  // g++ 12 makes std::ranges::copy a loop over bytes
  offset_ += size;
  return size;
}

void CappedSink::write(ByteView bytes) {
  if (bytes.size() > left_) fail(ErrorKind::corrupt, "decompresses to more than the expected {} bytes", limit_);
  left_ -= bytes.size();
  if (!bytes.empty()) inner_.write(bytes);
}

}  // namespace cherax::transform
