#pragma once

#include <sys/stat.h>

#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace cherax::snapshot {

/// What tells whether a file is the one that was read before: equal stamps, same content.
struct FileStamp {
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;  ///< nanoseconds since 1970
  std::uint64_t inode = 0;

  bool operator==(const FileStamp&) const = default;
};

inline std::int64_t mtime_ns_of(const struct ::stat& status) {
  return std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
}

inline FileStamp stamp_of(const struct ::stat& status) {
  return {static_cast<std::uint64_t>(status.st_size), mtime_ns_of(status), status.st_ino};
}

/// A file written less than this before it was read may have changed since without a new mtime.
inline constexpr std::chrono::nanoseconds kSettlingTime = std::chrono::seconds{2};

inline bool is_settled(const FileStamp& stamp, Timestamp scanned) {
  return std::chrono::nanoseconds{stamp.mtime_ns} <= scanned.time_since_epoch() - kSettlingTime;
}

}  // namespace cherax::snapshot
