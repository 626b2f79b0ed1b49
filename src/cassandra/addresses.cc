#include "cassandra/addresses.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <memory>

#include "base/log.h"
#include "base/resolve.h"

namespace cherax::cassandra {

namespace {

constexpr const char* kLoopback = "127.0.0.1";

bool is_ipv6(std::string_view address) { return address.find(':') != std::string_view::npos; }
bool is_wildcard(std::string_view address) { return address == "0.0.0.0" || address == "::"; }

std::vector<std::string> addresses_of_interface(const std::string& name) {
  ::ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) fail_errno(errno, "reading the addresses of the network interfaces");
  const std::unique_ptr<::ifaddrs, decltype(&::freeifaddrs)> owner{all, &::freeifaddrs};
  std::vector<std::string> addresses;
  for (const ::ifaddrs* one = all; one; one = one->ifa_next) {
    const std::string_view label = one->ifa_name;  // `eth0:1` is also an address of eth0
    if (!one->ifa_addr || (label != name && !label.starts_with(name + ":"))) continue;
    ::addrinfo address{};
    address.ai_addr = one->ifa_addr;
    if (one->ifa_addr->sa_family == AF_INET) address.ai_addrlen = sizeof(::sockaddr_in);
    if (one->ifa_addr->sa_family == AF_INET6) address.ai_addrlen = sizeof(::sockaddr_in6);
    if (address.ai_addrlen != 0) addresses.push_back(to_string(address));
  }
  return addresses;
}

std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  if (::gethostname(name.data(), name.size()) != 0) fail_errno(errno, "reading the name of this machine");
  return name.data();
}

/// What `<prefix>_address` or `<prefix>_interface` says; nullopt when neither is set.
std::optional<std::string> configured_host(std::string_view prefix, const std::optional<std::string>& address,
                                           const std::optional<std::string>& interface, bool prefer_ipv6) {
  if (address && interface)
    fail(ErrorKind::invalid, "{0}_address and {0}_interface are both set, and Cassandra takes only one", prefix);
  if (address && address->empty()) return kLoopback;  // so does Java
  if (!interface) return address;
  return in_context(fmt::format("{}_interface {}", prefix, *interface), [&] {
    try {
      return choose_address(addresses_of_interface(*interface), prefer_ipv6);
    } catch (const Error& error) {
      fail(error.kind(), "{}; set {}_address instead", error.message(), prefix);
    }
  });
}

void keep_if_any(std::vector<std::string>& addresses, auto wanted) {
  if (!std::ranges::any_of(addresses, wanted)) return;
  std::erase_if(addresses, [&](const std::string& address) { return !wanted(address); });
}

void require_no_wildcard(std::string_view key, const std::vector<std::string>& addresses) {
  if (std::ranges::any_of(addresses, is_wildcard))
    fail(ErrorKind::invalid, "{0} cannot be a wildcard address; set {0} to an address of the node", key);
}

std::vector<std::string> look_up(std::string_view key, const std::string& host) {
  try {
    return addresses_of(host);
  } catch (const Error& error) {
    fail(error.kind(), "{0}: {1}; set {0} to an IP address", key, error.message());
  }
}

/// Where the node serves clients. A wildcard is where it listens, not where it can be reached, and a certificate names
/// an address rather than loopback.
std::string client_host(const Configuration& configuration) {
  const auto& rpc = configuration.rpc_address;
  const auto& listen = configuration.listen_address;
  if (rpc && is_wildcard(*rpc) && listen && !listen->empty()) return *listen;
  try {
    return listen_addresses(configuration).rpc;
  } catch (const Error& error) {
    log::debug("CQL goes to loopback: {}", error.message());
    return kLoopback;
  }
}

/// An address or a name without its port.
std::string host_of(std::string seed) {
  if (std::ranges::count(seed, ':') == 1) seed.resize(seed.find(':'));
  if (seed.starts_with('[')) seed = seed.substr(1, seed.find(']') - 1);
  return seed;
}

}  // namespace

ClientOptions resolve_client(ClientOptions options) {
  const bool is_complete = !options.hostnames.empty() && options.port;
  if (options.config_path && !is_complete) {
    const Configuration configuration = load_configuration(*options.config_path);
    if (!options.port) options.port = configuration.native_transport_port;
    if (options.hostnames.empty()) options.hostnames.push_back(client_host(configuration));
  }
  if (options.hostnames.empty()) options.hostnames.emplace_back(kLoopback);
  if (!options.port) options.port = Configuration{}.native_transport_port;
  return options;
}

std::vector<std::string> addresses_of(const std::string& host) {
  std::vector<std::string> addresses;
  const Addresses found = resolve(host, 0);
  for (const ::addrinfo* one = found.get(); one; one = one->ai_next) addresses.push_back(to_string(*one));
  std::ranges::stable_partition(addresses, [](const std::string& address) { return !is_ipv6(address); });
  return addresses;
}

std::string choose_address(std::vector<std::string> of_interface, bool prefer_ipv6) {
  keep_if_any(of_interface, [&](const std::string& address) { return is_ipv6(address) == prefer_ipv6; });
  keep_if_any(of_interface, [](const std::string& address) { return !address.starts_with("fe80:"); });
  if (of_interface.empty()) fail(ErrorKind::invalid, "there is no such network interface, or it has no address");
  if (of_interface.size() > 1) fail(ErrorKind::invalid, "it has several addresses ({})", fmt::join(of_interface, ", "));
  return of_interface.front();
}

ListenAddresses listen_addresses(const Configuration& configuration) {
  const auto listen = configured_host("listen", configuration.listen_address, configuration.listen_interface,
                                      configuration.listen_interface_prefer_ipv6);
  ListenAddresses result;
  result.listen = listen ? *listen : host_name();
  require_no_wildcard("listen_address", look_up("listen_address", result.listen));
  result.rpc = configured_host("rpc", configuration.rpc_address, configuration.rpc_interface,
                               configuration.rpc_interface_prefer_ipv6)
                   .value_or(result.listen);
  const auto rpc = look_up("rpc_address", result.rpc).front();
  if (is_wildcard(rpc)) result.rpc = is_ipv6(rpc) ? "::1" : kLoopback;
  return result;
}

std::vector<std::string> own_addresses(const Configuration& configuration) {
  std::vector<std::string> own;
  const auto add = [&](std::string_view key, const std::string& host) {
    const auto addresses = look_up(key, host);
    require_no_wildcard(key, addresses);
    own.insert(own.end(), addresses.begin(), addresses.end());
  };
  if (configuration.broadcast_address) add("broadcast_address", *configuration.broadcast_address);
  add("listen_address", listen_addresses(configuration).listen);
  return own;
}

std::vector<std::string> seed_addresses(const Configuration& configuration, const std::vector<std::string>& own,
                                        const std::string& seed) {
  std::vector<std::string> addresses;
  try {
    addresses = addresses_of(host_of(seed));
  } catch (const Error& error) {
    fail(error.kind(), "the seed {} may be of any ring: {}; mend it, or take it out of seed_provider", seed,
         error.message());
  }
  if (configuration.resolve_multiple_ip_addresses_per_dns_record) return addresses;
  const bool own_is_ipv6 = is_ipv6(own.front());
  keep_if_any(addresses, [&](const std::string& address) { return is_ipv6(address) == own_is_ipv6; });
  return addresses;
}

}  // namespace cherax::cassandra
