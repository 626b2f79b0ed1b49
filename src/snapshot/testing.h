#pragma once

// For tests only: a directory of their own, files in it, and what Errors they got.

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "snapshot/relative_path.h"
#include "snapshot/restored_file.h"
#include "snapshot/stamp.h"

namespace cherax::snapshot::testing {

/// A new directory, removed on destruction. Files in it get an mtime long ago unless told otherwise.
class Directory {
 public:
  explicit Directory(const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
    std::string name = parent / "cherax-snapshot-XXXXXX";
    if (!::mkdtemp(name.data())) fail_errno(errno, "creating a directory in " + parent.string());
    path_ = name;
  }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  static constexpr std::int64_t kLongAgo_ns = 1'600'000'000'123'456'789;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view relative) const { return path_ / relative; }

  void write(std::string_view relative, std::string_view content, std::int64_t mtime_ns = kLongAgo_ns) const {
    const auto path = path_ / relative;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream{path, std::ios::binary | std::ios::trunc} << content;
    set_mtime(relative, mtime_ns);
  }
  void set_mtime(std::string_view relative, std::int64_t mtime_ns) const {
    const std::array<::timespec, 2> times{{{0, UTIME_OMIT}, timespec_of(mtime_ns)}};
    if (::utimensat(AT_FDCWD, (path_ / relative).c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
      fail_errno(errno, "setting an mtime");
    }
  }
  std::string read(std::string_view relative) const {
    std::ostringstream text;
    std::ifstream file{path_ / relative, std::ios::binary};
    if (!file) throw std::runtime_error("no file " + (path_ / relative).string());
    text << file.rdbuf();
    return text.str();
  }
  struct ::stat status(std::string_view relative) const {
    struct ::stat status {};
    if (::lstat((path_ / relative).c_str(), &status) != 0) fail_errno(errno, "lstat");
    return status;
  }
  FileStamp stamp(std::string_view relative) const { return stamp_of(status(relative)); }
  bool has(std::string_view relative) const {
    return std::filesystem::exists(std::filesystem::symlink_status(path_ / relative));
  }

  /// Relative paths of all that is no directory, sorted, without what Cherax keeps for itself.
  std::vector<std::string> files() const {
    std::vector<std::string> paths;
    for (auto i = std::filesystem::recursive_directory_iterator{path_}; i != std::filesystem::end(i); ++i) {
      if (is_own_name(i->path().filename().string()) && i->is_directory()) {
        i.disable_recursion_pending();
      } else if (!i->is_directory()) {
        paths.push_back(i->path().lexically_relative(path_).string());
      }
    }
    std::ranges::sort(paths);
    return paths;
  }

 private:
  std::filesystem::path path_;
};

/// Runs `work`, and returns the Error that left it. Anything else, or no Error, throws std::logic_error.
inline Error error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  throw std::logic_error("no Error was thrown");
}

inline std::int64_t ns_of(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

}  // namespace cherax::snapshot::testing
