#include "base/resolve.h"

#include <array>

#include "base/error.h"

namespace cherax {

Addresses resolve(const std::string& host, std::uint16_t port) {
  ::addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  ::addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) fail(ErrorKind::transient, "resolving {} failed: {}", host, ::gai_strerror(error));
  return {found, &::freeaddrinfo};
}

std::string to_string(const ::addrinfo& address) {
  std::array<char, NI_MAXHOST> text{};
  ::getnameinfo(address.ai_addr, address.ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
  return text.data();
}

}  // namespace cherax
