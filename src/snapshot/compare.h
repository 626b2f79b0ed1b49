#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "snapshot/group.h"
#include "snapshot/index.h"
#include "snapshot/snapshot_file.h"
#include "snapshot/tree.h"
#include "snapshot/wanted_files.h"

namespace cherax::snapshot {

/// A file system that a restore writes to.
struct Target {
  std::string directory;  ///< one that exists there, relative to the root
  std::uint64_t new_directories = 0;
};
using Targets = std::map<std::uint64_t, Target>;  ///< by device

/// Finds out which of the wanted files are missing, without changing anything. Reads the files that have the right size
/// and that the index does not know, on `workers` threads; what it learns goes into `wanted`. Error{invalid} when a
/// wanted path passes through a symbolic link, or when something is in its way that is no file which `globs` match and
/// that is not wanted.
Targets compare(const Tree& tree, const GroupSet& globs, WantedFiles& wanted, Index& index, std::size_t workers,
                Progress& progress, std::stop_token stop);

/// Error{invalid} unless the file at `path` may be removed by a restore with `globs`.
void require_surplus_file(const Tree& tree, const GroupSet& globs, std::string_view path, const struct ::stat& status);

/// What a restore will take on one file system, and what is there.
struct SpaceNeed {
  std::filesystem::path directory;
  std::uint64_t bytes = 0;
  std::uint64_t files = 0;
  std::uint64_t available_bytes = 0;
  std::uint64_t available_files = 0;
};

/// The most that is needed at any time, in the order in which files are restored: largest first, each written beside
/// the one that it replaces.
std::vector<SpaceNeed> required_space(const Tree& tree, const Targets& targets, WantedFiles& wanted,
                                      std::size_t workers);
/// Error{invalid} with the numbers when some file system has too little.
void require_space(const std::vector<SpaceNeed>& needs);

}  // namespace cherax::snapshot
