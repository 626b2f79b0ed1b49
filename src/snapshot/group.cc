#include "snapshot/group.h"

#include <algorithm>

#include "base/error.h"
#include "snapshot/relative_path.h"

namespace cherax::snapshot {

GroupSet::GroupSet(std::span<const Group> groups) {
  for (const auto& group : groups) groups_.push_back({group, Glob{group.root_glob}});
}

GroupSet GroupSet::of_globs(std::span<const std::string> globs) {
  std::vector<Group> groups;
  for (const auto& glob : globs) groups.push_back({.root_glob = glob});
  return GroupSet{groups};
}

std::optional<Rules> GroupSet::rules_for(std::string_view path) const {
  const Group* first = nullptr;
  bool immutable = true;
  for (const auto& [group, glob] : groups_) {
    if (!glob.matches(path)) continue;
    if (std::ranges::find(group.excluded_names, name_of(path)) != group.excluded_names.end()) continue;
    if (first && first->embedded_file_size_max != group.embedded_file_size_max) {
      fail(ErrorKind::invalid,
           "the file {} is matched by the groups \"{}\" and \"{}\", which have different embedded_file_size_max: make "
           "them equal, or exclude the file from one",
           printable(path), first->root_glob, group.root_glob);
    }
    first = first ? first : &group;
    immutable = immutable && group.immutable;
  }
  if (!first) return std::nullopt;
  return Rules{std::min(first->embedded_file_size_max.value_or(kLargestEmbedded), kLargestEmbedded), immutable};
}

bool GroupSet::may_match_below(std::string_view directory) const {
  return std::ranges::any_of(groups_, [&](const Compiled& each) { return each.glob.may_match_below(directory); });
}

}  // namespace cherax::snapshot
