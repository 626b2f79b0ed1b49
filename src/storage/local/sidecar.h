#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/object_store.h"

namespace cherax::storage::local {

/// The file `<object>.metadata`: one JSON object with the metadata, and beside it what starts with '_': `_hash`, the
/// SHA-256 of the stored bytes in hex, which Astacus writes too, and `_size`, their number, which only Cherax writes.
struct Sidecar {
  static constexpr std::size_t kLimit = 64 * 1024;

  Metadata metadata;
  std::string hash;
  std::optional<std::uint64_t> size;  ///< absent when Astacus stored the object
};

std::string format_sidecar(const Sidecar& sidecar);
/// Error{corrupt} for what is no such JSON. Members of other types than these are passed over.
Result<Sidecar> parse_sidecar(std::string_view text);

}  // namespace cherax::storage::local
