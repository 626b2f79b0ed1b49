#pragma once

#include <boost/describe/class.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cherax::cassandra {

/// How to speak CQL with a node: `node.cassandra.client` and `plugin_config.client`. Keys as in Astacus; the last three
/// are ours. Connection takes it as resolve_client() of addresses.h leaves it.
struct ClientOptions {
  std::optional<std::string> config_path;  ///< cassandra.yaml: port and host, where they are not given here
  std::vector<std::string> hostnames;      ///< names or addresses, tried in order
  std::optional<std::uint16_t> port;
  std::optional<std::string> username;  ///< none: no authentication
  std::optional<std::string> password;
  std::optional<std::string> ca_cert_path;      ///< PEM; given: TLS, and the server's certificate must be signed by it
  std::optional<std::string> client_cert_path;  ///< PEM chain shown to the server
  std::optional<std::string> client_key_path;   ///< PEM; none: in client_cert_path
  std::optional<std::string> tls_server_name;   ///< the name in the certificate, if it is not the host's
};
BOOST_DESCRIBE_STRUCT(ClientOptions, (),
                      (config_path, hostnames, port, username, password, ca_cert_path, client_cert_path,
                       client_key_path, tls_server_name))

}  // namespace cherax::cassandra
