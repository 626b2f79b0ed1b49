#pragma once

#include <netdb.h>

#include <cstdint>
#include <memory>
#include <string>

namespace cherax {

/// A list of socket addresses, linked by `ai_next`.
using Addresses = std::unique_ptr<::addrinfo, decltype(&::freeaddrinfo)>;

/// What getaddrinfo knows of an IP address or a host name, for TCP; at least one. Error{transient} when it knows
/// nothing. May wait for name servers.
Addresses resolve(const std::string& host, std::uint16_t port);

/// Its IP address in digits.
std::string to_string(const ::addrinfo& address);

}  // namespace cherax
