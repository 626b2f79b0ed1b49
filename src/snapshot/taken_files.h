#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "snapshot/group.h"
#include "snapshot/index.h"
#include "snapshot/snapshot_file.h"
#include "snapshot/stamp.h"

namespace cherax::snapshot {

/// The files of the snapshot that was taken last: a spool on the disk, gone with the process. Any thread.
class TakenFiles {
 public:
  /// `spool` is the name of a file to use; it does not stay visible.
  explicit TakenFiles(std::filesystem::path spool);
  ~TakenFiles();

  struct Pending {
    std::string path;
    FileStamp stamp;
    Rules rules;
  };
  struct Source {
    std::string path;
    FileStamp stamp;
    bool immutable = false;
  };

  void clear();
  /// Without `entry` the file is pending: fill or drop it later.
  /// `allocated_size`: of a file with holes.
  void add(std::string_view path, const FileStamp& stamp, const Rules& rules, const std::optional<Index::Entry>& entry,
           std::optional<std::uint64_t> allocated_size = {});
  void fill(std::string_view path, const FileStamp& stamp, const Index::Entry& entry);
  void drop(std::string_view path);
  bool contains(std::string_view path);
  /// In byte order of the path, from `after` on.
  std::vector<Pending> pending(std::string_view after, std::size_t limit);
  struct Sum {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
  };
  /// Nothing is pending any more: makes it searchable by digest.
  Sum complete();

  // In byte order of what is returned, the next one greater than `after`; "" and nullopt: the first one.
  std::optional<SnapshotFile> next_file(std::string_view after);
  std::optional<std::pair<Digest, std::uint64_t>> next_digest(const std::optional<Digest>& after);
  std::optional<Source> next_source(const Digest& digest, std::string_view after);

 private:
  struct Open;
  template <class Work>
  auto locked(Work&& work) -> decltype(work());

  std::filesystem::path spool_;
  std::mutex mutex_;
  std::unique_ptr<Open> open_;
};

}  // namespace cherax::snapshot
