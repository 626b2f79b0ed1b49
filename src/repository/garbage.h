#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <stop_token>

#include "repository/manifests.h"

namespace cherax::repository {

struct GarbageOptions {
  std::chrono::seconds gc_grace{24 * 3600};  ///< younger blocks stay: a backup may need them before it has a manifest
  std::stop_token stop;                      ///< ends it between two steps with Error{cancelled}; run it again later
  /// After each batch: blocks looked at, and removed, so far.
  std::function<void(std::uint64_t seen, std::uint64_t removed)> on_progress;
};

struct GarbageResult {
  std::uint64_t kept = 0;
  std::uint64_t removed = 0;
  std::uint64_t removed_bytes = 0;  ///< as stored
};

/// Removes the manifests `remove`, then reads all that remain (of backups, deltas, and anything else below `json/`),
/// then removes each object below `data/` that none of them names and that is older than `gc_grace`. One that cannot be
/// read ends it before any block is touched. The caller holds the cluster lock. Memory: 64 bytes per distinct digest.
GarbageResult collect_garbage(storage::ObjectStore& store, Manifests& manifests, std::span<const BackupName> remove,
                              Timestamp now, const GarbageOptions& options = {});

}  // namespace cherax::repository
