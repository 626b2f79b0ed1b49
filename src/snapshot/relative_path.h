#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace cherax::snapshot {

/// A path as it stands in a manifest: relative to a root, segments joined by '/', UTF-8. Pure functions over it.

/// Error{invalid} for what must never reach the disk: an empty path, an absolute one, a segment that is empty, "." or
/// "..", a NUL, what is not UTF-8, a segment over 255 bytes or a path over 4095.
Result<void> check_relative_path(std::string_view path);

/// "a/b/c" → "a/b"; "c" → "".
std::string_view parent_of(std::string_view path);
/// "a/b/c" → "c".
std::string_view name_of(std::string_view path);
/// `directory` may be empty: the root.
std::string join(std::string_view directory, std::string_view name);

/// Takes the first segment off `rest`: "a/b" → "a", `rest` = "b".
std::string_view take_segment(std::string_view& rest);

bool is_utf8(std::string_view text);
/// For messages: control characters, and all that is not ASCII when the path is not UTF-8, as \xNN.
std::string printable(std::string_view path);

/// Names of what Cherax itself keeps, which is no content of a root at any depth: `.astacus` and `.cherax-links` (hard
/// links), `.cherax-*.tmp` (an interrupted restore), `cherax_index.db*`.
bool is_own_name(std::string_view name);
/// `.cherax-*.tmp`
bool is_temporary_name(std::string_view name);

inline constexpr std::string_view kLinksName = ".cherax-links";
inline constexpr std::string_view kIndexName = "cherax_index.db";

}  // namespace cherax::snapshot
