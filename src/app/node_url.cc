#include "app/node_url.h"

#include <arpa/inet.h>

#include <array>
#include <regex>

#include "base/ascii.h"

namespace cherax::app {

namespace {

/// nullopt when the text is no IPv6 address.
std::optional<std::string> canonical_address(const std::string& text) {
  ::in6_addr address{};
  std::array<char, INET6_ADDRSTRLEN> canonical{};
  if (::inet_pton(AF_INET6, text.c_str(), &address) != 1) return std::nullopt;
  return ::inet_ntop(AF_INET6, &address, canonical.data(), canonical.size());
}

}  // namespace

std::optional<NodeUrl> NodeUrl::parse(const std::string& url) {
  static const std::regex kUrl{
      R"((https?)://(?:[^/?#@]*@)?(?:\[([0-9a-fA-F:.]+)\]|([^/?#@:\[\]]+))(?::([0-9]{1,5}))?((?:/[^?#]*)?/node))"};
  std::smatch parts;
  if (!std::regex_match(url, parts, kUrl)) return std::nullopt;
  const auto host = parts[2].matched ? canonical_address(parts[2]) : lower_case(parts[3].str());
  const int port = parts[4].matched ? std::stoi(parts[4]) : parts[1] == "https" ? 443 : 80;
  if (!host || port > 65535) return std::nullopt;
  return NodeUrl{parts[1], *host, static_cast<std::uint16_t>(port), parts[5]};
}

}  // namespace cherax::app
