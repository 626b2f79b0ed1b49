#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"

namespace cherax {

/// Bytes that are pulled. One thread at a time. Failures are thrown as Error.
class Source {
 public:
  virtual ~Source() = default;
  /// Fills the front of `buffer` (not empty) and returns how many bytes; 0 means the end, and only the end.
  virtual std::size_t read(MutableByteView buffer) = 0;
};

/// Bytes that are pushed. One thread at a time. Failures are thrown as Error; a sink that threw is not used again.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void write(ByteView bytes) = 0;
  /// All bytes were written: stages check what can only be known now (HMAC, digest, size) and finish the next stage.
  /// Without it the bytes count as incomplete.
  virtual void finish() = 0;
};

inline constexpr std::size_t kStreamBuffer = 128 * 1024;

class MemorySource final : public Source {
 public:
  explicit MemorySource(ByteView bytes) : rest_(bytes) {}
  std::size_t read(MutableByteView buffer) override {
    const std::size_t size = std::min(buffer.size(), rest_.size());
    if (size > 0) std::memcpy(buffer.data(), rest_.data(), size);  // g++ 12 makes a byte loop of std::ranges::copy
    rest_ = rest_.subspan(size);
    return size;
  }

 private:
  ByteView rest_;
};

/// Collects at most `limit` bytes; more is Error{invalid}.
class MemorySink final : public Sink {
 public:
  explicit MemorySink(std::size_t limit) : limit_(limit) {}
  void write(ByteView bytes) override {
    if (bytes.size() > limit_ - bytes_.size()) fail(ErrorKind::invalid, "more than {} bytes", limit_);
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  void finish() override {}

  const Bytes& bytes() const { return bytes_; }

 private:
  std::size_t limit_;
  Bytes bytes_;
};

/// Reads `source` to its end into `sink` and finishes it; returns the number of bytes.
std::uint64_t pump(Source& source, Sink& sink);

/// Fills `buffer` as far as the source reaches; less than its size means the end.
std::size_t read_full(Source& source, MutableByteView buffer);

}  // namespace cherax
