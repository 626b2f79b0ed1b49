#pragma once

#include <filesystem>
#include <optional>

#include "base/file.h"

namespace cherax::storage::local {

/// Keeps the two files of an object together: whoever renames or removes them holds the lock alone, whoever opens them
/// shares it. Held for a few system calls, never while bytes are written or read. An flock on a file of its own below
/// the root: it works between processes and threads, and ends with its holder.
class StoreLock {
 public:
  /// Waits for it. The root must exist.
  static StoreLock exclusive(const std::filesystem::path& root);
  /// Nothing to wait for, and nullopt, in a store that nobody with this lock has written to yet: it may be read-only.
  static std::optional<StoreLock> shared(const std::filesystem::path& root);

 private:
  StoreLock(const std::filesystem::path& path, int flags, int operation);
  File file_;
};

}  // namespace cherax::storage::local
