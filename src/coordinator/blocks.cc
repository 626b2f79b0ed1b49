#include "coordinator/blocks.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace cherax::coordinator {

Block Block::on(std::uint16_t node, const Digest& digest, std::uint64_t size) {
  Block block{.digest = digest, .size = size, .copies = 1};
  block.nodes[0] = node;
  return block;
}

void Block::absorb(const Block& later) {
  if (size != later.size) {
    fail(ErrorKind::corrupt, "digest {} is of {} bytes on one node and of {} on another", digest.hex(), size,
         later.size);
  }
  for (const std::uint16_t node : later.candidates()) {
    if (std::ranges::find(candidates(), node) != candidates().end()) continue;
    nodes[std::min<std::size_t>(copies, kCandidates - 1)] = node;
    if (copies < std::numeric_limits<std::uint8_t>::max()) ++copies;
  }
}

void distribute(std::span<Block> blocks, std::size_t node_count,
                const std::function<void(std::size_t, const Block&)>& assign) {
  const auto urgency = [](const Block& block) {
    return std::tuple{block.copies, std::numeric_limits<std::uint64_t>::max() - block.size, block.digest};
  };
  const auto end =
      std::ranges::partition(blocks, [](const Block& block) { return block.presence == Block::missing; }).begin();
  const std::span missing{blocks.begin(), end};
  std::ranges::sort(missing, {}, urgency);
  std::vector<std::uint64_t> bytes(node_count);
  for (const Block& block : missing) {
    const auto candidates = block.candidates();
    const auto node = *std::ranges::min_element(candidates, {}, [&](std::uint16_t candidate) {
      return std::pair{bytes.at(candidate), candidate};
    });
    bytes[node] += block.size;
    assign(node, block);
  }
}

}  // namespace cherax::coordinator
