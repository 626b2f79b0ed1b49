#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "snapshot/glob.h"

namespace cherax::snapshot {

/// One wish of a snapshot request.
struct Group {
  std::string root_glob;
  std::vector<std::string> excluded_names;  ///< compared with a file's base name, literally
  /// Files up to this size are embedded in the manifest; nullopt: all that kLargestEmbedded lets through.
  std::optional<std::uint64_t> embedded_file_size_max = 200;
  bool immutable = false;  ///< whoever writes these files never changes one: no waiting for its mtime to settle
};

/// Larger files get a digest whatever the group says: an embedded file is held in memory whole, by everybody who
/// touches it.
inline constexpr std::uint64_t kLargestEmbedded = std::uint64_t{1024} * 1024;

/// What the groups that match a file say about it together.
struct Rules {
  std::uint64_t embedded_file_size_max = 0;
  bool immutable = false;

  bool embeds(std::uint64_t size) const { return size <= embedded_file_size_max; }
};

/// The groups of a request, compiled. Immutable: any thread.
class GroupSet {
 public:
  explicit GroupSet(std::span<const Group> groups);
  static GroupSet of_globs(std::span<const std::string> globs);

  /// nullopt when no group matches. Error{invalid} when groups with different limits do. `path` is immutable only when
  /// all groups that match it are.
  std::optional<Rules> rules_for(std::string_view path) const;
  bool may_match_below(std::string_view directory) const;

 private:
  struct Compiled {
    Group group;
    Glob glob;
  };
  std::vector<Compiled> groups_;
};

}  // namespace cherax::snapshot
