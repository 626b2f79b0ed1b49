#pragma once

#include <string>
#include <vector>

#include "cassandra/configuration.h"
#include "cassandra/options.h"

namespace cherax::cassandra {

/// Where a node listens: IP addresses or names.
struct ListenAddresses {
  std::string listen;  ///< of the storage ports
  std::string rpc;     ///< of the native transport ports; loopback in place of a wildcard
};

/// As Cassandra chooses them on this machine (org.apache.cassandra.config.DatabaseDescriptor.applyAddressConfig). Error
/// with the key to set when that is not known, or when Cassandra would not take what is set. May wait for name servers.
ListenAddresses listen_addresses(const Configuration& configuration);

/// How other nodes reach it: the IP addresses of its broadcast address, by which the ring knows it, then those at which
/// it listens for them. Errors as above.
std::vector<std::string> own_addresses(const Configuration& configuration);

/// The IP addresses of one of `Configuration::seeds` that a node with these own_addresses() may ask: all of the family
/// of the first, for a name with many may give it any; all, when there is none of that family or Cassandra is told to
/// take all (resolve_multiple_ip_addresses_per_dns_record). Errors as above.
std::vector<std::string> seed_addresses(const Configuration& configuration, const std::vector<std::string>& own,
                                        const std::string& seed);

/// Hosts and port filled in: from `config_path` where the options leave them open, else 127.0.0.1 and 9042.
ClientOptions resolve_client(ClientOptions options);

/// The IP addresses of a name, IPv4 first as Java has them; an IP address is its own. Errors as for resolve().
std::vector<std::string> addresses_of(const std::string& host);

/// Pure: which of a network interface's addresses Cassandra takes. It takes the first of the preferred family, but Java
/// orders them as it likes: Error{invalid} for several, if they are not link-local beside one that is not.
std::string choose_address(std::vector<std::string> of_interface, bool prefer_ipv6);

}  // namespace cherax::cassandra
