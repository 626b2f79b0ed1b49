#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/stream.h"
#include "snapshot/compare.h"
#include "snapshot/index.h"
#include "snapshot/snapshot_file.h"
#include "snapshot/wanted_files.h"

namespace cherax::snapshot {

class RestoredFile;

struct MaterializerOptions {
  std::filesystem::path root;
  /// The files that match and are not wanted are removed; others stay.
  std::vector<std::string> globs;
  /// Where a wanted file goes; nullopt leaves it out. Without it, to its own path.
  std::function<std::optional<std::string>(std::string_view relative_path)> map_path = {};
  std::size_t workers = 1;
  ::mode_t mode = 0660;          ///< of new files, less the umask; directories have at least 0750
  bool owner_of_parent = false;  ///< as root: new files and directories belong to whom their directory belongs to
  bool sync = true;              ///< everything is on the disk when restore() returns
};

/// Turns a root into what a backup says it was: the inverse of a Snapshotter. Call want() for each file, then compare,
/// required_space as wished, and restore, each once. Memory does not depend on the number of files or their size.
/// One thread at a time; `index` is that of the same root and is used meanwhile.
///
/// Nothing is changed before restore(). It writes each file beside its place and renames it when its bytes were hashed
/// and are the expected ones; then it removes surplus files. A restore that was interrupted can be repeated: what it
/// had restored is found by compare(), what it left behind is removed.
class Materializer {
 public:
  Materializer(MaterializerOptions options, Index& index, Clock& clock = system_clock());

  /// Error{invalid} for a path that check_relative_path refuses or that was wanted before, and for embedded content
  /// that has not its size.
  void want(SnapshotFile file);

  /// Finds what is missing; reads the files that the index does not know. Errors as for snapshot::compare.
  void compare(Progress& progress, std::stop_token stop);
  std::vector<SpaceNeed> required_space() {
    return snapshot::required_space(tree_, targets_, wanted_, options_.workers);
  }

  /// Writes the `size` bytes with this digest to the sink, and finishes it. Called on several threads, once for each
  /// content that no file of the root has; an Error of the sink must come out of it again.
  using Fetch = std::function<void(const Digest& digest, std::uint64_t size, Sink& sink)>;
  /// Restores the largest files first. The first failure ends it: Error{corrupt} for bytes that are not those of the
  /// digest, Error{cancelled}, what `fetch` throws.
  void restore(const Fetch& fetch, Progress& progress, const std::stop_token& stop);

 private:
  struct Running {
    const Fetch& fetch;
    Progress& progress;
    std::stop_token stop;
  };

  void make_ready(const std::stop_token& stop);
  Descriptor make_directory(std::string_view directory);
  bool gives_ownership() const;
  void correct_times();
  void restore_file(WantedFiles::File file, const Running& running);
  bool copy_from(const std::string& source, WantedFiles::File& file, const Running& running);
  void write(WantedFiles::File& file, const Running& running, const std::function<void(RestoredFile&)>& fill);
  void sync_and_tell_index();

  const MaterializerOptions options_;
  const Tree tree_;
  const GroupSet globs_;
  Index& index_;
  Clock& clock_;
  WantedFiles wanted_;
  Targets targets_;
};

}  // namespace cherax::snapshot
