#pragma once

#include <cstdint>
#include <string>

#include "base/stream.h"

/// Bytes that a number stands for, of any length, without holding them.
namespace cherax::conformance {

/// The byte at `offset` of the pattern `seed`.
std::byte pattern_byte(std::uint64_t seed, std::uint64_t offset);

/// `size` bytes of the pattern, in pieces of changing sizes.
class PatternSource final : public Source {
 public:
  PatternSource(std::uint64_t seed, std::uint64_t size) : seed_(seed), size_(size) {}
  std::size_t read(MutableByteView buffer) override;

 private:
  std::uint64_t seed_;
  std::uint64_t size_;
  std::uint64_t offset_ = 0;
};

/// Counts the bytes and whether each is the pattern's, from `offset` on.
class PatternSink final : public Sink {
 public:
  explicit PatternSink(std::uint64_t seed, std::uint64_t offset = 0) : seed_(seed), offset_(offset), start_(offset) {}
  void write(ByteView bytes) override;
  void finish() override { finished_ = true; }

  /// Finished, every byte right, and `size` of them.
  bool holds(std::uint64_t size) const { return finished_ && matches_ && offset_ - start_ == size; }

 private:
  std::uint64_t seed_;
  std::uint64_t offset_;
  std::uint64_t start_;
  bool matches_ = true;
  bool finished_ = false;
};

}  // namespace cherax::conformance
