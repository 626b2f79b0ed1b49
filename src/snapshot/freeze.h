#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>

#include "snapshot/stamp.h"
#include "snapshot/tree.h"

namespace cherax::snapshot {

/// Whether hard links of files below `root` can be in `link_directory`, or, until it exists, in the nearest directory
/// around it: both are on one file system and on one mount of it, which is what the kernel asks for (a bind mount is
/// another one). A disk may be mounted in `root`: one of the directories in it is enough. Creates nothing, unlike a
/// link that is tried. A file system without hard links is not noticed.
bool can_link(const std::filesystem::path& root, const std::filesystem::path& link_directory);

/// Hard links that keep the files of a snapshot as they are, whatever happens to their names below `root`. The link of
/// `a/b` is `<link_directory>/.cherax-links/a/b`; everything below `.cherax-links` belongs to the Freezer and is
/// removed by it. A link does not freeze a file that is written in place: compare its stamp. One thread at a time, but
/// open() and path_of() may be called from any.
class Freezer {
 public:
  /// Creates the directory. Error{invalid} unless can_link().
  Freezer(const std::filesystem::path& root, const std::filesystem::path& link_directory);

  /// Links name_of(path) in `source_directory`, replacing a link of another file or a directory; returns the stamp of
  /// what is linked now, or nullopt when the source has vanished or is no regular file. Repeatable.
  std::optional<FileStamp> link(int source_directory, std::string_view path);

  std::filesystem::path path_of(std::string_view path) const { return links_.root() / path; }
  /// Opens a link for reading; an empty Descriptor when there is none.
  Descriptor open(std::string_view path) const;

  /// Removes one link and the directories that it leaves empty.
  void release(std::string_view path);
  void release_all() {
    release_unless([](std::string_view) { return false; });
  }
  /// Removes the links that `keep(path)` is false for, and empty directories.
  void release_unless(const std::function<bool(std::string_view)>& keep);

 private:
  int directory_for(std::string_view directory);
  Descriptor make_directory(int parent, std::string_view name);
  bool try_link(int source_directory, std::string_view name, int directory);

  Tree links_;
  Descriptor cached_;  ///< the directory of the last link; the next one is mostly beside it
  std::string cached_path_;
};

}  // namespace cherax::snapshot
