#pragma once

#include <cstddef>
#include <ostream>

#include "base/stream.h"

namespace cherax::cli {

struct ManifestStyle {
  std::size_t indent = 2;  ///< spaces a level
  bool files = false;      ///< with the files of the snapshots; otherwise only their number
  bool hashes = false;     ///< with the hashes of the snapshots; otherwise only their number
};

/// Prints a manifest's JSON text with line breaks, in a single pass that keeps no part of it in memory. Error{corrupt}
/// for broken JSON, when a part may have been printed. Stops early when `out` takes no more.
void print_manifest(Source& text, const ManifestStyle& style, std::ostream& out);

}  // namespace cherax::cli
