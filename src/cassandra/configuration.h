#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace cherax::cassandra {

/// What Cherax needs of cassandra.yaml, with the key names of 4.0 to 5.0 and Cassandra's defaults
/// (org.apache.cassandra.config.Config); nullopt where the key is absent or null and the default is not a plain value.
struct Configuration {
  std::string cluster_name = "Test Cluster";
  std::string partitioner;
  std::string endpoint_snitch;

  std::optional<std::string> listen_address;
  std::optional<std::string> listen_interface;
  bool listen_interface_prefer_ipv6 = false;
  std::optional<std::string> broadcast_address;
  std::optional<std::string> rpc_address;
  std::optional<std::string> rpc_interface;
  bool rpc_interface_prefer_ipv6 = false;
  std::uint16_t storage_port = 7000;
  std::uint16_t ssl_storage_port = 7001;
  std::uint16_t native_transport_port = 9042;
  std::optional<std::uint16_t> native_transport_port_ssl;

  std::string seed_provider;  ///< class name
  bool resolve_multiple_ip_addresses_per_dns_record = false;
  std::vector<std::string> seeds;  ///< its parameter `seeds`, split: addresses or names, perhaps with `:port`

  int num_tokens = 1;
  std::vector<std::string> initial_tokens;
  bool auto_bootstrap = true;
  bool materialized_views_enabled = false;      ///< also as enable_materialized_views (4.0)
  bool user_defined_functions_enabled = false;  ///< also as enable_user_defined_functions (4.0)

  std::chrono::milliseconds hints_flush_period{10'000};  ///< also as hints_flush_period_in_ms (4.0)

  std::vector<std::filesystem::path> data_file_directories;
  std::optional<std::filesystem::path> local_system_data_file_directory;
  std::optional<std::filesystem::path> commitlog_directory;
  std::optional<std::filesystem::path> hints_directory;
  std::optional<std::filesystem::path> saved_caches_directory;
  std::optional<std::filesystem::path> cdc_raw_directory;

  /// Can Cherax know the seeds? Another provider may get them from anywhere.
  bool has_simple_seed_provider() const;
};

/// Error{invalid} with the key and the line for what is no YAML or of the wrong type. Of a key that is there twice the
/// last one counts, as for Cassandra.
Result<Configuration> parse_configuration(std::string_view yaml);
/// The same from a file; errors name it.
Configuration load_configuration(const std::filesystem::path& path);

/// Where a node keeps what. All absolute.
struct Directories {
  std::vector<std::filesystem::path> data;
  std::optional<std::filesystem::path> local_system_data;
  std::filesystem::path commitlog;
  std::filesystem::path hints;
  std::filesystem::path saved_caches;
  std::filesystem::path cdc_raw;
  bool operator==(const Directories&) const = default;

  /// Each once.
  std::vector<std::filesystem::path> all() const;
};

/// With Cassandra's defaults: `data`, `commitlog`, `hints`, `saved_caches`, `cdc_raw` below its JVM option
/// cassandra.storagedir, which no file says: `storage_directory`. Error{invalid} for a default that is needed while it
/// is not known, or a directory that is not absolute.
Directories resolve_directories(const Configuration& configuration,
                                const std::optional<std::filesystem::path>& storage_directory);

struct Location {
  std::string datacenter;
  std::string rack;
  bool operator==(const Location&) const = default;
};

/// A node's datacenter and rack before it ever ran: for GossipingPropertyFileSnitch from cassandra-rackdc.properties in
/// the directory of cassandra.yaml, for SimpleSnitch its fixed names. nullopt for other snitches, which ask a cloud or
/// another file.
std::optional<Location> configured_location(const Configuration& configuration, const std::filesystem::path& yaml_path);
/// Pure: `dc=…`, `rack=…`. Error{invalid} when one is missing.
Result<Location> parse_rackdc(std::string_view properties);

}  // namespace cherax::cassandra
