#pragma once

#include <filesystem>
#include <string_view>

#include "storage/object_store.h"

/// How keys are spelled as file names: as they are, below the store's root (docs/format.md).
namespace cherax::storage::local {

/// Whether the name of a file or folder below the root is of the store's own making, or Astacus', and no part of a key:
/// a leading '.', `.metadata` at the end, `.metadata_tmp` anywhere.
bool is_reserved_name(std::string_view name);

/// `directory` with the folders of `prefix`. Error{invalid} when the prefix has a `.` or `..`.
std::filesystem::path root_of(const std::filesystem::path& directory, std::string_view prefix);

/// Where the object `key` is. Error{invalid} when the key is empty, absolute, holds NUL, or has a segment that is
/// empty, reserved, or too long for a file with a sidecar beside it: such a key could leave the root or hide from
/// list().
std::filesystem::path path_of(const std::filesystem::path& root, const ObjectKey& key);

/// The file beside an object that holds its metadata.
std::filesystem::path sidecar_of(const std::filesystem::path& object);

}  // namespace cherax::storage::local
