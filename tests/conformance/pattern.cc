#include "conformance/pattern.h"

namespace cherax::conformance {

std::byte pattern_byte(std::uint64_t seed, std::uint64_t offset) {
  // splitmix64 of the word, so that no part of the pattern looks like another.
  std::uint64_t word = seed * 0x9e3779b97f4a7c15U + offset / 8;
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9U;
  word = (word ^ (word >> 27)) * 0x94d049bb133111ebU;
  return static_cast<std::byte>((word ^ (word >> 31)) >> (offset % 8 * 8));
}

std::size_t PatternSource::read(MutableByteView buffer) {
  const std::uint64_t piece = 1 + (offset_ * 7919 + 65'521) % 100'003;
  const auto size = static_cast<std::size_t>(std::min({std::uint64_t{buffer.size()}, piece, size_ - offset_}));
  for (std::size_t i = 0; i < size; ++i) buffer[i] = pattern_byte(seed_, offset_ + i);
  offset_ += size;
  return size;
}

void PatternSink::write(ByteView bytes) {
  for (const std::byte byte : bytes) matches_ = (byte == pattern_byte(seed_, offset_++)) && matches_;
}

}  // namespace cherax::conformance
