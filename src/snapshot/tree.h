#pragma once

#include <dirent.h>
#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/stream.h"
#include "snapshot/stamp.h"

namespace cherax::snapshot {

/// An open file descriptor, closed on destruction.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;

  explicit operator bool() const { return number_ >= 0; }
  int number() const { return number_; }

 private:
  int number_ = -1;
};

/// The names in a directory, one at a time, without "." and "..". Holds one buffer, however many there are.
class DirectoryReader {
 public:
  explicit DirectoryReader(Descriptor directory);
  /// nullptr at the end. The entry lives until the next call.
  const ::dirent* next();
  int descriptor() const { return ::dirfd(stream_.get()); }

 private:
  struct Close {
    void operator()(::DIR* stream) const { ::closedir(stream); }
  };
  std::unique_ptr<::DIR, Close> stream_;
};

/// fstat
struct ::stat status_of(int descriptor);
/// fstatat without following a link; nullopt when there is nothing of that name.
std::optional<struct ::stat> status_at(int directory, std::string_view name);
/// Opens without following a link; an empty Descriptor when there is nothing of that name, or only a link.
Descriptor open_at(int directory, std::string_view name, int flags);
/// Removes a file; it not being there is fine.
void remove_at(int directory, std::string_view name);

/// Removes what is below `directory`, but the files that `keep(path)` is true for, with the directories that hold them.
/// `path` is what stands before the names. Returns whether the directory is empty now.
bool remove_contents(Descriptor directory, const std::string& path, const std::function<bool(std::string_view)>& keep);
/// Removes a file, a link, or a directory and what is below it.
void remove_whatever_at(int directory, std::string_view name);

/// The inside of a directory, reached segment by segment so that no symbolic link is ever followed. Relative paths are
/// such that check_relative_path accepts, or empty for the root itself. Any thread.
class Tree {
 public:
  /// Links in the path of the root itself are followed. Error{not_found} when it does not exist.
  explicit Tree(std::filesystem::path root);

  const std::filesystem::path& root() const { return root_; }
  std::string describe(std::string_view path) const;

  /// How far the directories of a path exist.
  struct Reached {
    Descriptor directory;   ///< the deepest one
    std::string_view path;  ///< its path
    bool blocked = false;   ///< the next segment is something that is no directory
  };
  /// Error{invalid} when the path passes through a symbolic link.
  Reached reach(std::string_view directory) const;

  /// An empty Descriptor when it is not there, or something on the way is no directory.
  Descriptor open_directory(std::string_view directory) const;
  Descriptor open_file(std::string_view path, int flags) const;
  std::optional<struct ::stat> status(std::string_view path) const;

 private:
  std::filesystem::path root_;
  Descriptor descriptor_;
};

/// From the current position to the end. The descriptor is borrowed.
class DescriptorSource final : public Source {
 public:
  explicit DescriptorSource(int descriptor) : descriptor_(descriptor) {}
  std::size_t read(MutableByteView buffer) override;

 private:
  int descriptor_;
};

class DescriptorSink final : public Sink {
 public:
  explicit DescriptorSink(int descriptor) : descriptor_(descriptor) {}
  void write(ByteView bytes) override;
  void finish() override {}

 private:
  int descriptor_;
};

}  // namespace cherax::snapshot
