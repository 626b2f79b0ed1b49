#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "base/digest.h"

namespace cherax::repository {

/// One Entry for each distinct digest, in sorted arrays: what is resident per digest is at most 4/3 of an Entry (48
/// bytes at most, so 64), whatever the number of entries added. An Entry has a member `digest` and
/// `void absorb(const Entry& later)`, which takes in an entry of the same digest. One thread at a time.
template <class Entry>
class DigestTable {
  static_assert(sizeof(Entry) <= 48);

 public:
  void add(const Entry& entry) {
    Shard& shard = shards_[static_cast<std::size_t>(entry.digest.bytes[0])];
    if (shard.entries.size() == shard.entries.capacity()) make_room(shard);
    shard.entries.push_back(entry);
  }

  /// In the order of the digests, each once.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (Shard& shard : shards_) {
      settle(shard);
      for (Entry& entry : shard.entries) visit(entry);
    }
  }

  const Entry* find(const Digest& digest) {
    Shard& shard = shards_[static_cast<std::size_t>(digest.bytes[0])];
    settle(shard);
    const auto at = std::ranges::lower_bound(shard.entries, digest, {}, &Entry::digest);
    return at != shard.entries.end() && at->digest == digest ? &*at : nullptr;
  }

  /// All entries in the order of their digests, in one array; the table is empty afterwards.
  std::vector<Entry> take() {
    std::size_t count = 0;
    for_each([&](const Entry&) { ++count; });
    std::vector<Entry> all;
    all.reserve(count);
    for (Shard& shard : shards_) {
      all.insert(all.end(), shard.entries.begin(), shard.entries.end());
      shard = {};  // freed as the array fills
    }
    return all;
  }

  /// What it holds in memory, for tests of the bound.
  std::size_t capacity_bytes() const {
    std::size_t bytes = 0;
    for (const Shard& shard : shards_) bytes += shard.entries.capacity() * sizeof(Entry);
    return bytes;
  }

 private:
  /// By the first byte, so that growing copies only a small part at a time.
  struct Shard {
    std::vector<Entry> entries;
    std::size_t settled = 0;  // so many at the front are sorted and distinct
  };

  /// Grows by 1/8 only when more than 7/8 is in use: capacity stays below 1.31 times the distinct entries.
  static void make_room(Shard& shard) {
    settle(shard);
    const std::size_t capacity = shard.entries.capacity();
    if (shard.entries.size() > capacity - capacity / 8) {
      shard.entries.reserve(capacity + std::max<std::size_t>(capacity / 8, 8));
    }
  }

  static void settle(Shard& shard) {
    auto& entries = shard.entries;
    if (shard.settled == entries.size()) return;
    const auto by_digest = [](const Entry& a, const Entry& b) { return a.digest < b.digest; };
    const auto middle = entries.begin() + static_cast<std::ptrdiff_t>(shard.settled);
    std::stable_sort(middle, entries.end(), by_digest);
    std::inplace_merge(entries.begin(), middle, entries.end(), by_digest);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (kept > 0 && entries[kept - 1].digest == entries[i].digest) {
        entries[kept - 1].absorb(entries[i]);
      } else {
        entries[kept++] = entries[i];
      }
    }
    entries.resize(kept);
    shard.settled = kept;
  }

  std::array<Shard, 256> shards_;
};

}  // namespace cherax::repository
