#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <span>

#include "base/digest.h"
#include "repository/digest_table.h"

namespace cherax::coordinator {

/// One distinct content of a backup and where it is. This is all that stays in memory of files: see DigestTable.
struct Block {
  static constexpr std::size_t kCandidates = 3;
  enum Presence : std::uint8_t { missing, stored, stored_long_ago };

  Digest digest;
  std::uint64_t size = 0;
  std::array<std::uint16_t, kCandidates> nodes{};  ///< the first two that have it and the last: enough to choose from
  std::uint8_t copies = 0;                         ///< on how many nodes it is, at most 255
  Presence presence = missing;

  static Block on(std::uint16_t node, const Digest& digest, std::uint64_t size);
  std::span<const std::uint16_t> candidates() const {
    return std::span{nodes}.first(std::min<std::size_t>(copies, kCandidates));
  }
  /// `later` is of the same digest and of the same or a later node. Error{corrupt} when it has another size.
  void absorb(const Block& later);
};

/// The distinct blocks of all nodes' snapshots, added node by node.
using BlockTable = repository::DigestTable<Block>;

/// Decides who uploads each missing block: the rarest first and of those the largest, each to the candidate that has
/// the least bytes to send so far. `assign(node, block)` is called in that order. Reorders `blocks`.
void distribute(std::span<Block> blocks, std::size_t node_count,
                const std::function<void(std::size_t, const Block&)>& assign);

}  // namespace cherax::coordinator
