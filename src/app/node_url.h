#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace cherax::app {

/// Which node API a URL (RFC 3986) means: URLs that differ only in how they are written are equal. User and password
/// are left out: they say who asks, not whom.
struct NodeUrl {
  std::string scheme;  ///< "http" or "https"
  std::string host;    ///< in lower case; an IPv6 address as inet_ntop(3) writes it
  std::uint16_t port;  ///< that of the scheme when none is given
  std::string path;    ///< ends in /node

  bool operator==(const NodeUrl&) const = default;
  auto operator<=>(const NodeUrl&) const = default;

  /// nullopt unless it is one that ends in /node: a coordinator asks `<url>/lock`, which without /node would be its own
  /// API, which asks it again, and so on. The scheme in lower case, as the HTTP client wants it.
  static std::optional<NodeUrl> parse(const std::string& url);
};

}  // namespace cherax::app
