#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cherax::http {

/// A name and its value, decoded: of a query, or of the `{name}` segments of a path.
struct Parameter {
  std::string name;
  std::string value;
  bool operator==(const Parameter&) const = default;
};
using Parameters = std::vector<Parameter>;

/// The value of `name`, nullptr without one. The last of several counts, as in Astacus.
const std::string* find(const Parameters& parameters, std::string_view name);

/// Every byte outside of RFC 3986's unreserved characters becomes %XX.
std::string percent_encode(std::string_view text);
/// The same for a whole path: '/' and what else RFC 3986 allows in a path stay as they are.
std::string percent_encode_path(std::string_view path);
/// Never fails: a '%' without two hex digits stands for itself.
std::string percent_decode(std::string_view text);

/// `a=1&b=x%20y`
std::string to_query(const Parameters& parameters);
/// The inverse; also takes '+' for a space, and a name without '=' as one with an empty value.
Parameters parse_query(std::string_view query);

/// `base` and `path` with exactly one '/' between them.
std::string join(std::string_view base, std::string_view path);

/// The URL without what may be secret, for messages: no user and password, no query, no fragment.
std::string without_secrets(std::string_view url);

}  // namespace cherax::http
