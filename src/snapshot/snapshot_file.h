#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/digest.h"

namespace cherax::api {
struct SnapshotFile;
}

namespace cherax::snapshot {

/// A file as a manifest names it: its content by digest, or, when it is small, embedded.
struct SnapshotFile {
  std::string relative_path;
  std::uint64_t file_size = 0;
  std::int64_t mtime_ns = 0;
  std::variant<Digest, Bytes> body;
  std::optional<std::uint64_t> allocated_size;  ///< bytes on the disk, of a file with holes

  bool operator==(const SnapshotFile&) const = default;
};

/// As a manifest lists it. Error{invalid} for what is neither a digest nor base64.
SnapshotFile from_message(const api::SnapshotFile& file);

/// Counters of a running operation. Written by it, read by any thread. The totals grow while files are still being
/// found.
struct Progress {
  std::atomic<std::uint64_t> files_total = 0;
  std::atomic<std::uint64_t> files_done = 0;
  std::atomic<std::uint64_t> bytes_total = 0;
  std::atomic<std::uint64_t> bytes_done = 0;
};

}  // namespace cherax::snapshot
