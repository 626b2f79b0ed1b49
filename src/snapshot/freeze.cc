#include "snapshot/freeze.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "snapshot/relative_path.h"

namespace cherax::snapshot {

namespace {

[[noreturn]] void refuse_other_file_system(std::string_view links) {
  fail(ErrorKind::invalid,
       "the link directory {} is on another file system than the files to back up, or on another mount of it, where "
       "hard links cannot reach them: set root_link to a directory on theirs",
       links);
}

struct Mount {
  std::uint32_t device_major;
  std::uint32_t device_minor;
  std::uint64_t id;  ///< 0 where the kernel does not tell it (before Linux 5.8)
  bool operator==(const Mount&) const = default;
};

/// nullopt with errno when there is nothing that can be asked.
std::optional<Mount> mount_of(const std::filesystem::path& path, int flags = 0) {
  struct ::statx status {};
  if (::statx(AT_FDCWD, path.c_str(), flags, STATX_TYPE | STATX_MNT_ID, &status) != 0) return std::nullopt;
  const bool has_id = (status.stx_mask & STATX_MNT_ID) != 0;
  return Mount{status.stx_dev_major, status.stx_dev_minor, has_id ? status.stx_mnt_id : 0};
}

std::filesystem::path make_links_directory(const std::filesystem::path& root,
                                           const std::filesystem::path& link_directory) {
  struct ::stat source {};  // first: a root that is gone must not be made again by its link directory
  if (::stat(root.c_str(), &source) != 0) fail_errno(errno, fmt::format("reading the status of {}", root.string()));
  std::error_code error;
  std::filesystem::create_directories(link_directory, error);
  if (error) fail_errno(error.value(), fmt::format("creating the link directory {}", link_directory.string()));
  auto links = link_directory / kLinksName;
  if (::mkdir(links.c_str(), 0700) != 0 && errno != EEXIST) {
    fail_errno(errno, fmt::format("creating the link directory {}", links.string()));
  }
  struct ::stat target {};
  if (::lstat(links.c_str(), &target) != 0) fail_errno(errno, fmt::format("reading the status of {}", links.string()));
  if (!S_ISDIR(target.st_mode)) fail(ErrorKind::invalid, "{} is in the way: it has to be a directory", links.string());
  if (!can_link(root, links)) refuse_other_file_system(links.string());
  return links;
}

}  // namespace

bool can_link(const std::filesystem::path& root, const std::filesystem::path& link_directory) {
  const auto of_root = mount_of(root);
  if (!of_root) fail_errno(errno, fmt::format("reading the status of {}", root.string()));
  auto existing = std::filesystem::path{"."} / link_directory;
  auto of_links = mount_of(existing);
  while (!of_links && existing.has_relative_path()) {
    existing = existing.parent_path();
    of_links = mount_of(existing);
  }
  if (of_links == of_root) return true;
  std::error_code none;  // a root that cannot be read has no other directories
  for (std::filesystem::directory_iterator entry{root, none}, end; entry != end; entry.increment(none)) {
    if (is_own_name(entry->path().filename().string()) || !entry->is_directory(none)) continue;
    if (mount_of(entry->path(), AT_SYMLINK_NOFOLLOW) == of_links) return true;
  }
  return false;
}

Freezer::Freezer(const std::filesystem::path& root, const std::filesystem::path& link_directory)
    : links_(make_links_directory(root, link_directory)) {}

Descriptor Freezer::make_directory(int parent, std::string_view name) {
  if (auto directory = open_at(parent, name, O_RDONLY | O_DIRECTORY)) return directory;
  remove_whatever_at(parent, name);
  if (::mkdirat(parent, std::string{name}.c_str(), 0700) != 0 && errno != EEXIST) {
    fail_errno(errno, fmt::format("creating the directory {}", printable(name)));
  }
  auto directory = open_at(parent, name, O_RDONLY | O_DIRECTORY);
  if (!directory) fail(ErrorKind::internal, "the directory {} vanished while it was created", printable(name));
  return directory;
}

int Freezer::directory_for(std::string_view directory) {
  if (cached_ && cached_path_ == directory) return cached_.number();
  auto current = links_.open_directory("");
  for (auto rest = directory; !rest.empty();) current = make_directory(current.number(), take_segment(rest));
  cached_ = std::move(current);
  cached_path_ = directory;
  return cached_.number();
}

bool Freezer::try_link(int source_directory, std::string_view name, int directory) {
  const std::string text{name};
  for (int attempt = 0;; ++attempt) {
    if (::linkat(source_directory, text.c_str(), directory, text.c_str(), 0) == 0) return true;
    switch (errno) {
      case ENOENT:
        if (!status_at(source_directory, name)) return false;
        if (attempt > 0) fail_errno(ENOENT, "linking; was the link directory removed meanwhile?");
        break;
      case EEXIST:
        if (attempt > 0) fail_errno(EEXIST, "linking");
        remove_whatever_at(directory, name);
        break;
      case EXDEV:
        refuse_other_file_system(links_.root().string());
      case EPERM:
        fail(ErrorKind::denied,
             "hard links are not permitted: the file system has none, or fs.protected_hardlinks asks for the owner of "
             "the files or write access to them");
      default:
        fail_errno(errno, "linking");
    }
  }
}

std::optional<FileStamp> Freezer::link(int source_directory, std::string_view path) {
  return in_context(fmt::format("hard link of {} below {}", printable(path), links_.root().string()),
                    [&]() -> std::optional<FileStamp> {
                      const auto name = name_of(path);
                      const auto source = status_at(source_directory, name);
                      if (!source || !S_ISREG(source->st_mode)) return std::nullopt;
                      const int directory = directory_for(parent_of(path));
                      auto linked = status_at(directory, name);
                      if (!linked || linked->st_ino != source->st_ino || linked->st_dev != source->st_dev) {
                        if (!try_link(source_directory, name, directory)) return std::nullopt;
                        linked = status_at(directory, name);
                      }
                      if (linked && S_ISREG(linked->st_mode)) return stamp_of(*linked);
                      remove_whatever_at(directory, name);
                      return std::nullopt;
                    });
}

Descriptor Freezer::open(std::string_view path) const { return links_.open_file(path, O_RDONLY | O_NONBLOCK); }

void Freezer::release(std::string_view path) {
  in_context(fmt::format("releasing {}", path_of(path).string()), [&] {
    cached_ = {};
    const auto name = name_of(path);
    if (const auto directory = links_.open_directory(parent_of(path))) remove_at(directory.number(), name);
    for (auto parent = parent_of(path); !parent.empty(); parent = parent_of(parent)) {
      const auto above = links_.open_directory(parent_of(parent));
      if (above && ::unlinkat(above.number(), std::string{name_of(parent)}.c_str(), AT_REMOVEDIR) != 0) break;
    }
  });
}

void Freezer::release_unless(const std::function<bool(std::string_view)>& keep) {
  in_context(fmt::format("removing links below {}", links_.root().string()), [&] {
    cached_ = {};
    remove_contents(links_.open_directory(""), "", keep);
  });
}

}  // namespace cherax::snapshot
