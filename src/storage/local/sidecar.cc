#include "storage/local/sidecar.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/json.h"

namespace cherax::storage::local {

std::string format_sidecar(const Sidecar& sidecar) {
  json::object members;
  for (const auto& [key, text] : sidecar.metadata) members[key] = text;
  members["_hash"] = sidecar.hash;
  if (sidecar.size) members["_size"] = *sidecar.size;
  return json::to_text(json::value(std::move(members)));
}

Result<Sidecar> parse_sidecar(std::string_view text) {
  const auto document = json::parse(text);
  if (!document || !document->is_object()) return make_error(ErrorKind::corrupt, "the metadata file is no JSON object");
  Sidecar sidecar;
  for (const auto& [key, member] : document->get_object()) {
    if (key == "_size") {
      boost::system::error_code no_number;
      const auto size = member.to_number<std::uint64_t>(no_number);
      if (no_number) return make_error(ErrorKind::corrupt, "the metadata file has a _size that is no number of bytes");
      sidecar.size = size;
    } else if (member.is_string() && key == "_hash") {
      sidecar.hash = std::string_view{member.get_string()};
    } else if (member.is_string() && !key.starts_with('_')) {
      sidecar.metadata[key] = std::string_view{member.get_string()};
    }
  }
  return sidecar;
}

}  // namespace cherax::storage::local
