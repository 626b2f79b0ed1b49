#include "storage/local/sorted_names.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/error.h"

namespace cherax::storage::local {

namespace {

struct CloseDirectory {
  void operator()(::DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<::DIR, CloseDirectory>;

/// Null when there is none.
Directory open_directory(const std::filesystem::path& path) {
  Directory directory{::opendir(path.c_str())};
  if (!directory && errno != ENOENT && errno != ENOTDIR) fail_errno(errno, fmt::format("opening {}", path.string()));
  return directory;
}

/// Follows symbolic links: a folder of the store may be one.
bool is_folder(::DIR* directory, const ::dirent& entry) {
  if (entry.d_type != DT_UNKNOWN && entry.d_type != DT_LNK) return entry.d_type == DT_DIR;
  struct ::stat status {};
  return ::fstatat(::dirfd(directory), entry.d_name, &status, 0) == 0 && S_ISDIR(status.st_mode);
}

std::optional<std::string> next_name(::DIR* directory, const std::filesystem::path& path) {
  errno = 0;
  const ::dirent* entry = ::readdir(directory);
  if (!entry) {
    if (errno != 0) fail_errno(errno, fmt::format("listing {}", path.string()));
    return std::nullopt;
  }
  std::string name = entry->d_name;
  if (is_folder(directory, *entry)) name += '/';
  return name;
}

}  // namespace

SortedNames::SortedNames(std::filesystem::path directory, Wanted wanted, std::size_t window)
    : directory_(std::move(directory)), wanted_(std::move(wanted)), window_(window) {}

std::optional<std::string> SortedNames::next() {
  if (names_.empty() && more_) read_window();
  if (names_.empty()) return std::nullopt;
  std::string name = std::move(names_.back());
  names_.pop_back();
  return name;
}

void SortedNames::read_window() {
  more_ = false;
  const Directory directory = open_directory(directory_);
  if (!directory) return;
  std::optional<std::string> bound;  // names beyond it are for a later window
  const auto keep_smallest = [&] {
    std::ranges::nth_element(names_, names_.begin() + static_cast<std::ptrdiff_t>(window_) - 1);
    names_.resize(window_);
    bound = names_.back();
    more_ = true;
  };
  while (auto name = next_name(directory.get(), directory_)) {
    if (*name <= last_ || !wanted_(*name)) continue;
    if (bound && *name > *bound) continue;
    names_.push_back(*std::move(name));
    if (names_.size() == 2 * window_) keep_smallest();
  }
  if (names_.size() > window_) keep_smallest();
  std::ranges::sort(names_, std::greater{});
  if (!names_.empty()) last_ = names_.front();
}

}  // namespace cherax::storage::local
