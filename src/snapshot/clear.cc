#include "snapshot/clear.h"

#include "snapshot/relative_path.h"
#include "snapshot/walk.h"

namespace cherax::snapshot {

void clear(const std::filesystem::path& root, std::span<const std::string> globs, Progress& progress,
           const std::stop_token& stop) {
  const Tree tree{root};
  const auto groups = GroupSet::of_globs(globs);
  walk(tree, groups, stop, [&](const WalkedFile& file) {
    ++progress.files_total;
    progress.bytes_total += file.stamp.size;
  });
  walk(tree, groups, stop, [&](const WalkedFile& file) {
    remove_at(file.directory, name_of(file.path));
    ++progress.files_done;
    progress.bytes_done += file.stamp.size;
  });
}

void remove_surplus(const Tree& tree, const GroupSet& globs, const std::function<bool(std::string_view)>& keep,
                    std::stop_token stop) {
  walk(tree, globs, std::move(stop), [&](const WalkedFile& file) {
    if (!keep(file.path)) remove_at(file.directory, name_of(file.path));
  });
}

}  // namespace cherax::snapshot
