#include "storage/local/store_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

namespace cherax::storage::local {

namespace {
constexpr const char* kName = ".cherax.lock";
}

StoreLock StoreLock::exclusive(const std::filesystem::path& root) {
  return StoreLock{root / kName, O_RDWR | O_CREAT, LOCK_EX};
}

std::optional<StoreLock> StoreLock::shared(const std::filesystem::path& root) {
  if (!status_of(root / kName)) return std::nullopt;
  return StoreLock{root / kName, O_RDONLY, LOCK_SH};
}

StoreLock::StoreLock(const std::filesystem::path& path, int flags, int operation) : file_(path, flags) {
  while (::flock(file_.descriptor(), operation) != 0) {
    if (errno != EINTR) fail_errno(errno, fmt::format("locking {}", path.string()));
  }
}

}  // namespace cherax::storage::local
