#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>

#include "base/clock.h"
#include "snapshot/freeze.h"
#include "snapshot/group.h"
#include "snapshot/index.h"
#include "snapshot/snapshot_file.h"
#include "snapshot/taken_files.h"

namespace cherax::snapshot {

struct SnapshotterOptions {
  std::filesystem::path root;
  std::filesystem::path link_directory;  ///< on the file system of the files; see Freezer
  std::filesystem::path index_file;      ///< db_path / kIndexName
  std::size_t hash_workers = 1;
};

struct SnapshotTotals {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t files_read = 0;  ///< the rest was unchanged
  std::uint64_t bytes_read = 0;
};

/// A file to upload: the link to read it from, and what fstat says of it as long as it is what was hashed.
struct FrozenFile {
  std::string relative_path;
  std::filesystem::path link;
  FileStamp stamp;
  bool immutable = false;
};

/// Takes snapshots of the files below a root: hard links, so that they stay, and digests, read only where a file has
/// changed since the index saw it. What is known about files lives on the disk, never in memory as a whole.
/// take, release and release_all: one thread at a time, and nothing else meanwhile. The others: any thread, between
/// those. The snapshot ends with the process, its index does not.
class Snapshotter {
 public:
  explicit Snapshotter(SnapshotterOptions options, Clock& clock = system_clock());

  /// The snapshot of what is there now replaces the last one. After a failure there is none, but what was read is
  /// remembered; links may remain, so call release_all. Error{invalid} for a file name that is not UTF-8, and as for
  /// GroupSet, Freezer and walk; Error{transient} for a file that does not hold still while it is read;
  /// Error{cancelled}.
  SnapshotTotals take(std::span<const Group> groups, Progress& progress, std::stop_token stop);

  /// The files of the snapshot in byte order of their paths.
  void for_each(const std::function<void(const SnapshotFile&)>& visit);
  /// The distinct digests of files that are not embedded, with their sizes, in order.
  void for_each_digest(const std::function<void(const Digest&, std::uint64_t size)>& visit);
  /// Offers the files that have this digest in byte order of their paths until `use` returns true; returns whether it
  /// did.
  bool find(const Digest& digest, const std::function<bool(const FrozenFile&)>& use);
  /// The file turned out to have other content than was recorded: read it next time, whatever its stamp.
  void forget(std::string_view relative_path);

  /// Removes the hard links: of the files with that digest, of all.
  void release(const Digest& digest);
  void release_all();

  /// For the Materializer, which knows by it which files of the root need not be read.
  Index& index() { return index_; }

 private:
  struct Taking;

  void find_files(Taking& taking);
  void drop_stale(Taking& taking);
  void hash_files(Taking& taking);
  void hash_file(Taking& taking, const TakenFiles::Pending& file);

  const SnapshotterOptions options_;
  Clock& clock_;
  std::mutex index_mutex_;
  Index index_;
  TakenFiles taken_;
  std::optional<Freezer> freezer_;
};

}  // namespace cherax::snapshot
