#pragma once

#include <functional>
#include <stop_token>
#include <string_view>

#include "snapshot/group.h"
#include "snapshot/stamp.h"
#include "snapshot/tree.h"

namespace cherax::snapshot {

struct WalkedFile {
  std::string_view path;  ///< relative to the root
  FileStamp stamp;
  std::uint64_t allocated_size = 0;  ///< bytes on the disk
  std::uint64_t links = 0;           ///< hard links, this name included
  Rules rules;
  int directory = -1;  ///< the open directory that holds it, for linkat and unlinkat with name_of(path)
};

/// Deeper trees are Error{invalid}: each level holds a descriptor and a buffer of 32 KiB.
inline constexpr std::size_t kDeepestDirectory = 512;

/// Calls `visit` for every regular file below `tree` that a group matches, in no particular order; everything in the
/// argument lives until it returns. `visit` may remove the file. Symbolic links are not followed; links, pipes,
/// sockets and devices are passed over, and so is what Cherax itself keeps (is_own_name). A file or directory that
/// vanishes meanwhile is left out; one that cannot be read is an Error, for a backup must not have holes.
void walk(const Tree& tree, const GroupSet& groups, std::stop_token stop,
          const std::function<void(const WalkedFile&)>& visit);

}  // namespace cherax::snapshot
