#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace cherax::cassandra {

/// A top-level key of cassandra.yaml and its new value.
struct Change {
  std::string key;
  std::variant<bool, std::int64_t, std::string> value;
};

/// `yaml` with other values, as a person would edit it: the lines of each changed key are commented out, ours are
/// appended at the end of the document, everything else stays byte for byte. The result is parsed again and compared
/// with what was wanted, so it is right or an Error{invalid}: for text that is no YAML, that has several documents,
/// whose top level is not a block of `key: value`, or where an anchor in a changed value is used elsewhere.
Result<std::string> edit(std::string_view yaml, const std::vector<Change>& changes);

}  // namespace cherax::cassandra
