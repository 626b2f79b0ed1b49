#pragma once

#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "snapshot/group.h"
#include "snapshot/snapshot_file.h"
#include "snapshot/tree.h"

namespace cherax::snapshot {

/// Removes the regular files below `root` that match one of `globs`; directories and all else stay. Progress counts
/// files. Error{cancelled}.
void clear(const std::filesystem::path& root, std::span<const std::string> globs, Progress& progress,
           const std::stop_token& stop);

/// Removes the files below `tree` that `globs` match and `keep(path)` is false for.
void remove_surplus(const Tree& tree, const GroupSet& globs, const std::function<bool(std::string_view)>& keep,
                    std::stop_token stop);

}  // namespace cherax::snapshot
