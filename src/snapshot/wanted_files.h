#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "snapshot/snapshot_file.h"
#include "snapshot/stamp.h"

namespace cherax::snapshot {

/// The files that a restore is to bring about, and how far it is with each: a spool on the disk, gone with the process.
/// Any thread.
class WantedFiles {
 public:
  /// `spool` is the name of a file to use; it does not stay visible.
  explicit WantedFiles(const std::filesystem::path& spool);
  ~WantedFiles();

  enum class State {
    wanted = 0,      ///< not looked for yet
    unread = 1,      ///< a file of that size is there; only reading it can tell whether it is the same
    present = 2,     ///< there is nothing to do
    wrong_time = 3,  ///< only the mtime is wrong
    missing = 4,
    restored = 5,
  };
  enum class InTheWay { nothing = 0, file = 1, directory = 2 };

  struct File {
    std::string path;
    std::uint64_t size = 0;
    std::int64_t mtime_ns = 0;
    Digest digest;
    bool has_holes = false;
    State state = State::wanted;
    // What stands at `path` while it is missing.
    InTheWay in_the_way = InTheWay::nothing;
    /// What replacing it gives back on the disk; nullopt: not even an inode.
    std::optional<std::uint64_t> freed;
    std::uint64_t device = 0;
    /// When it is there: what the index should learn of it, once it is safe on the disk.
    std::optional<std::uint64_t> news_of_inode;
  };

  /// Error{invalid} when the path is wanted already.
  void add(const SnapshotFile& file);
  /// All but what was wanted.
  void update(const File& file);

  bool contains(std::string_view path);
  std::optional<Bytes> content(std::string_view path);
  /// In byte order of the paths; "" for the first one.
  std::optional<File> next(std::string_view after);
  std::optional<File> next(State state, std::string_view after);

  /// All states are known: makes the following searches quick.
  void complete();
  /// The distinct contents of missing files, largest first.
  struct Content {
    std::uint64_t size = 0;
    Digest digest;
  };
  std::optional<Content> next_missing_content(const std::optional<Content>& after);
  /// The missing files of that content, by path.
  std::optional<File> next_missing(const Content& content, std::string_view after);
  /// A file with that content which is there.
  std::optional<std::string> source_of(const Digest& digest);

 private:
  struct Open;
  template <class Work>
  auto locked(Work&& work) -> decltype(work());

  std::mutex mutex_;
  std::unique_ptr<Open> open_;
};

}  // namespace cherax::snapshot
