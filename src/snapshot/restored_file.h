#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "snapshot/snapshot_file.h"
#include "snapshot/tree.h"

namespace cherax::snapshot {

/// A file on its way to its name: written beside it as `.cherax-<random>.tmp`, which fits any name, and renamed only
/// when all its bytes were hashed and are the expected ones. Until then its destruction removes it and takes its bytes
/// out of the progress again. One thread.
class RestoredFile {
 public:
  /// `mode` less the umask. Names must not go away before it does.
  RestoredFile(int directory, std::string_view name, ::mode_t mode, Progress& progress, std::stop_token stop);
  ~RestoredFile();
  RestoredFile(const RestoredFile&) = delete;
  RestoredFile& operator=(const RestoredFile&) = delete;

  /// From now on blocks of zeros are left out of what is written.
  void leave_holes() { leaves_holes_ = true; }
  /// Gives `produce` a sink for the content. Error{corrupt} when the bytes are others, or it was not finished.
  void receive(const Digest& digest, std::uint64_t size, const std::function<void(Sink&)>& produce);
  /// Takes the content of an open file, sharing its blocks where the file system can. Error{corrupt} as above.
  void copy(const Digest& digest, std::uint64_t size, int source);

  void set_owner(::uid_t owner, ::gid_t group);
  /// Sets the mtime, and replaces what has the name. Returns the inode.
  std::uint64_t rename_into_place(std::int64_t mtime_ns);

 private:
  class Output;

  int directory_;
  std::string name_;
  std::string temporary_;
  Descriptor file_;
  Progress& progress_;
  std::stop_token stop_;
  std::uint64_t counted_ = 0;
  bool leaves_holes_ = false;
};

/// `atime` stays.
::timespec timespec_of(std::int64_t ns);

}  // namespace cherax::snapshot
