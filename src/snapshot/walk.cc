#include "snapshot/walk.h"

#include <fcntl.h>

#include <string>
#include <vector>

#include "snapshot/relative_path.h"

namespace cherax::snapshot {

namespace {

class Walk {
 public:
  Walk(const Tree& tree, const GroupSet& groups, std::stop_token stop,
       const std::function<void(const WalkedFile&)>& visit)
      : tree_(tree), groups_(groups), stop_(std::move(stop)), visit_(visit) {}

  void run() {
    if (!groups_.may_match_below("")) return;
    enter(tree_.open_directory(""), "");
    try {
      while (!levels_.empty()) {
        if (stop_.stop_requested()) fail(ErrorKind::cancelled, "cancelled");
        step();
      }
    } catch (const Error& error) {
      throw error.in_context(fmt::format("walking {}", tree_.describe(levels_.back().path)));
    }
  }

 private:
  struct Level {
    DirectoryReader reader;
    std::string path;
  };

  void enter(Descriptor directory, std::string path) {
    if (!directory) return;
    if (levels_.size() >= kDeepestDirectory) {
      fail(ErrorKind::invalid, "the directory is {} levels below {}, which is too deep; exclude it by the globs",
           kDeepestDirectory, tree_.root().string());
    }
    levels_.push_back({DirectoryReader{std::move(directory)}, std::move(path)});
  }

  void step() {
    auto& level = levels_.back();
    const ::dirent* entry = level.reader.next();
    if (!entry) {
      levels_.pop_back();
      return;
    }
    const std::string_view name = entry->d_name;
    if (is_own_name(name)) return;
    const int directory = level.reader.descriptor();
    switch (entry->d_type) {
      case DT_REG:
        return file(directory, join(level.path, name));
      case DT_DIR:
        return subdirectory(directory, join(level.path, name));
      case DT_UNKNOWN:
        break;
      default:
        return;
    }
    const auto status = status_at(directory, name);
    if (status && S_ISREG(status->st_mode)) return file(directory, join(level.path, name));
    if (status && S_ISDIR(status->st_mode)) return subdirectory(directory, join(level.path, name));
  }

  void file(int directory, const std::string& path) {
    const auto rules = groups_.rules_for(path);
    if (!rules) return;
    const auto status = status_at(directory, name_of(path));
    if (!status || !S_ISREG(status->st_mode)) return;
    visit_({.path = path,
            .stamp = stamp_of(*status),
            .allocated_size = static_cast<std::uint64_t>(status->st_blocks) * 512,
            .links = status->st_nlink,
            .rules = *rules,
            .directory = directory});
  }

  void subdirectory(int directory, std::string path) {
    if (!groups_.may_match_below(path)) return;
    auto opened = open_at(directory, name_of(path), O_RDONLY | O_DIRECTORY);
    enter(std::move(opened), std::move(path));
  }

  const Tree& tree_;
  const GroupSet& groups_;
  std::stop_token stop_;
  const std::function<void(const WalkedFile&)>& visit_;
  std::vector<Level> levels_;
};

}  // namespace

void walk(const Tree& tree, const GroupSet& groups, std::stop_token stop,
          const std::function<void(const WalkedFile&)>& visit) {
  Walk{tree, groups, std::move(stop), visit}.run();
}

}  // namespace cherax::snapshot
