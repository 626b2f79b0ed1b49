#pragma once

#include <string>
#include <vector>

#include "cassandra/configuration.h"
#include "cassandra/options.h"

namespace cherax::cassandra {

/// Where a node listens and what others call it. Names stay as they are configured; they may have several addresses.
struct NodeAddresses {
  std::string listen;            ///< of the storage ports: an IP address or a name
  std::string rpc;               ///< the same of the native transport ports; loopback in place of a wildcard
  std::vector<std::string> own;  ///< of all of them, as IP addresses; that which the ring knows the node by first
};

/// As Cassandra chooses them on this machine (org.apache.cassandra.config.DatabaseDescriptor.applyAddressConfig). Error
/// with the key to set when that is not known, or when Cassandra would not take what is set. May wait for name servers.
NodeAddresses resolve_addresses(const Configuration& configuration);

/// Hosts and port filled in: from `config_path` where the options leave them open, else 127.0.0.1 and 9042.
ClientOptions resolve_client(ClientOptions options);

/// The IP addresses of a name, IPv4 first as Java has them; an IP address is its own. Errors as for resolve().
std::vector<std::string> addresses_of(const std::string& host);

/// Pure: which of a network interface's addresses Cassandra takes. It takes the first of the preferred family, but Java
/// orders them as it likes: Error{invalid} for several, if they are not link-local beside one that is not.
std::string choose_address(std::vector<std::string> of_interface, bool prefer_ipv6);

}  // namespace cherax::cassandra
