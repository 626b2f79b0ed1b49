#include "snapshot/compare.h"

#include <fcntl.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <optional>

#include "base/parallel.h"
#include "snapshot/hash.h"
#include "snapshot/relative_path.h"

namespace cherax::snapshot {

namespace {

using File = WantedFiles::File;
using State = WantedFiles::State;
using InTheWay = WantedFiles::InTheWay;

constexpr std::uint64_t kBlock = 4096;

std::uint64_t allocated(std::uint64_t size) { return (size + kBlock - 1) / kBlock * kBlock; }

/// How many of the directories of `path` are not among those of `other`.
std::uint64_t directories_beyond(std::string_view path, std::string_view other) {
  while (!path.empty() && !other.empty()) {
    if (take_segment(path) != take_segment(other)) return 1 + directories_beyond(path, {});
  }
  std::uint64_t count = 0;
  while (!path.empty()) {
    take_segment(path);
    ++count;
  }
  return count;
}

class Comparison {
 public:
  Comparison(const Tree& tree, const GroupSet& globs, WantedFiles& wanted, Index& index, Progress& progress,
             std::stop_token stop)
      : tree_(tree), globs_(globs), wanted_(wanted), index_(index), progress_(progress), stop_(std::move(stop)) {}

  Targets run(std::size_t workers) {
    look();
    read(workers);
    wanted_.complete();
    return std::move(targets_);
  }

 private:
  void look() {
    std::optional<std::string> parent;
    Tree::Reached reached;
    for (auto file = wanted_.next(""); file; file = wanted_.next(file->path)) {
      if (stop_.stop_requested()) fail(ErrorKind::cancelled, "cancelled");
      if (!parent || *parent != parent_of(file->path)) {
        parent = parent_of(file->path);
        reached = tree_.reach(*parent);
        enter(reached, *parent);
      }
      file->device = device_;
      in_context(tree_.describe(file->path), [&] {
        if (reached.path.size() == parent->size()) {
          look_at(*file, reached.directory.number());
        } else {
          file->state = State::missing;
        }
      });
      wanted_.update(*file);
      ++progress_.files_total;
      progress_.bytes_total += file->size;
      if (file->state == State::present || file->state == State::wrong_time) count_done(*file);
    }
  }

  void enter(const Tree::Reached& reached, std::string_view parent) {
    for (auto above = parent; !above.empty(); above = parent_of(above)) {
      if (wanted_.contains(above)) {
        fail(ErrorKind::invalid, "the backup names {} as a file and as a directory", printable(above));
      }
    }
    device_ = status_of(reached.directory.number()).st_dev;
    auto& target = targets_.try_emplace(device_, Target{std::string{reached.path}, 0}).first->second;
    if (reached.path.size() == parent.size()) return;
    if (reached.blocked) {
      auto rest = parent.substr(reached.path.empty() ? 0 : reached.path.size() + 1);
      const auto blocking = join(reached.path, take_segment(rest));
      if (const auto status = tree_.status(blocking)) require_surplus_file(tree_, globs_, blocking, *status);
    }
    const auto beyond_last = directories_beyond(parent, last_new_directory_);
    target.new_directories += std::min(beyond_last, directories_beyond(parent, reached.path));
    last_new_directory_ = parent;
  }

  void look_at(File& file, int directory) {
    const auto status = status_at(directory, name_of(file.path));
    file.state = State::missing;
    if (!status) return;
    if (S_ISDIR(status->st_mode)) {
      require_surplus_directory(open_at(directory, name_of(file.path), O_RDONLY | O_DIRECTORY), file.path);
      file.in_the_way = InTheWay::directory;
      return;
    }
    if (!S_ISREG(status->st_mode)) {
      fail(ErrorKind::invalid, "a symbolic link or a special file is where a file is to be restored: remove it first");
    }
    file.in_the_way = InTheWay::file;
    if (status->st_nlink == 1) file.freed = static_cast<std::uint64_t>(status->st_blocks) * 512;
    const auto stamp = stamp_of(*status);
    if (stamp.size != file.size) return;
    if (const auto known = index_.find(file.path, stamp, false)) {
      if (known->digest == file.digest) set_present(file, stamp);
    } else {
      file.state = State::unread;
    }
  }

  void require_surplus_directory(Descriptor directory, const std::string& path) {
    DirectoryReader reader{std::move(directory)};
    while (const auto* entry = reader.next()) {
      const auto child = join(path, entry->d_name);
      const auto status = status_at(reader.descriptor(), entry->d_name);
      if (status && S_ISDIR(status->st_mode)) {
        require_surplus_directory(open_at(reader.descriptor(), entry->d_name, O_RDONLY | O_DIRECTORY), child);
      } else if (status) {
        require_surplus_file(tree_, globs_, child, *status);
      }
    }
  }

  void read(std::size_t workers) {
    std::string last;
    const auto next = [&] {
      auto file = wanted_.next(State::unread, last);
      if (file) last = file->path;
      return file;
    };
    parallel_for(workers, stop_, next, [&](File file) {
      in_context(fmt::format("reading {}", tree_.describe(file.path)), [&] { read_one(file); });
      wanted_.update(file);
      if (file.state == State::present || file.state == State::wrong_time) count_done(file);
    });
  }

  void read_one(File& file) const {
    file.state = State::missing;
    const auto opened = tree_.open_file(file.path, O_RDONLY | O_NONBLOCK);
    if (!opened) return;
    const auto stamp = stamp_of(status_of(opened.number()));
    DescriptorSource source{opened.number()};
    const auto digest = digest_of_first(source, file.size, [&](std::uint64_t) {
      if (stop_.stop_requested()) fail(ErrorKind::cancelled, "cancelled");
    });
    if (!digest || *digest != file.digest || stamp_of(status_of(opened.number())) != stamp) return;
    set_present(file, stamp);
    file.news_of_inode = stamp.inode;
  }

  static void set_present(File& file, const FileStamp& stamp) {
    file.state = stamp.mtime_ns == file.mtime_ns ? State::present : State::wrong_time;
    if (file.state == State::wrong_time) file.news_of_inode = stamp.inode;
  }

  void count_done(const File& file) {
    ++progress_.files_done;
    progress_.bytes_done += file.size;
  }

  const Tree& tree_;
  const GroupSet& globs_;
  WantedFiles& wanted_;
  Index& index_;
  Progress& progress_;
  std::stop_token stop_;
  Targets targets_;
  std::uint64_t device_ = 0;
  std::string last_new_directory_;
};

}  // namespace

Targets compare(const Tree& tree, const GroupSet& globs, WantedFiles& wanted, Index& index, std::size_t workers,
                Progress& progress, std::stop_token stop) {
  return Comparison{tree, globs, wanted, index, progress, std::move(stop)}.run(workers);
}

void require_surplus_file(const Tree& tree, const GroupSet& globs, std::string_view path, const struct ::stat& status) {
  if (S_ISREG(status.st_mode) && globs.rules_for(path)) return;
  fail(ErrorKind::invalid,
       "{} is in the way of what is to be restored, and is no file that the backup's globs cover: move it away",
       tree.describe(path));
}

std::vector<SpaceNeed> required_space(const Tree& tree, const Targets& targets, WantedFiles& wanted,
                                      std::size_t workers) {
  struct Use {
    std::uint64_t bytes = 0;  // may be less than nothing for a while: unsigned arithmetic comes back from that
    std::uint64_t peak = 0;
    std::uint64_t largest = 0;
    std::uint64_t files = 0;
  };
  std::map<std::uint64_t, Use> uses;
  for (auto content = wanted.next_missing_content({}); content; content = wanted.next_missing_content(content)) {
    for (auto file = wanted.next_missing(*content, ""); file; file = wanted.next_missing(*content, file->path)) {
      auto& use = uses[file->device];
      const auto size = allocated(file->size);
      use.largest = std::max(use.largest, size);
      use.bytes += size;
      if (static_cast<std::int64_t>(use.bytes) > static_cast<std::int64_t>(use.peak)) use.peak = use.bytes;
      use.bytes -= file->freed.value_or(0);
      if (!file->freed) ++use.files;
    }
  }
  std::vector<SpaceNeed> needs;
  for (const auto& [device, use] : uses) {
    const auto& target = targets.at(device);
    SpaceNeed need{.directory = tree.root() / target.directory};
    const auto others = std::max<std::size_t>(workers, 1) - 1;  // what else is being written at the peak
    need.bytes = use.peak + others * use.largest + target.new_directories * kBlock;
    need.files = use.files + others + 1 + target.new_directories;
    struct ::statvfs status {};
    if (::statvfs(need.directory.c_str(), &status) != 0) {
      fail_errno(errno, fmt::format("asking for the free space of {}", need.directory.string()));
    }
    need.available_bytes = std::uint64_t{status.f_bavail} * status.f_frsize;
    // A file system that makes inodes as it goes says that it has none.
    need.available_files = status.f_files == 0 ? UINT64_MAX : status.f_favail;
    needs.push_back(std::move(need));
  }
  return needs;
}

void require_space(const std::vector<SpaceNeed>& needs) {
  for (const auto& need : needs) {
    if (need.bytes <= need.available_bytes && need.files <= need.available_files) continue;
    fail(ErrorKind::invalid,
         "the file system of {} has room for {} bytes and {} files, but the restore needs {} bytes and {} files: "
         "nothing was changed; make room first",
         need.directory.string(), need.available_bytes, need.available_files, need.bytes, need.files);
  }
}

}  // namespace cherax::snapshot
