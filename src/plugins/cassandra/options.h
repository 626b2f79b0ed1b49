#pragma once

#include <array>
#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cassandra/options.h"

namespace cherax::plugins::cassandra {

/// The name of Cassandra's snapshots that a backup takes, as Astacus calls them.
inline constexpr std::string_view kSnapshotTag = "astacus-backup";

enum class AccessLevel {
  read,   ///< backups only
  write,  ///< may stop, empty and start the node
};
BOOST_DESCRIBE_ENUM(AccessLevel, read, write)

/// `node.cassandra`. Commands are argument vectors whose program is found without PATH when the server starts.
struct NodeOptions {
  static constexpr std::array kRequired{"client", "nodetool_command"};
  ::cherax::cassandra::ClientOptions client;  ///< with config_path: this node's cassandra.yaml
  std::vector<std::string> nodetool_command;
  std::vector<std::string> start_command;  ///< gets the path of an edited cassandra.yaml as one more argument
  std::vector<std::string> stop_command;
  AccessLevel access_level = AccessLevel::read;

  // ours
  std::optional<std::string>
      storage_directory;  ///< Cassandra's cassandra.storagedir, where cassandra.yaml relies on it
  std::string jmx_address = "127.0.0.1";
  std::uint16_t jmx_port = 7199;
  std::uint32_t command_timeout = 300;  ///< seconds, of one run of one of the commands
};
BOOST_DESCRIBE_STRUCT(NodeOptions, (),
                      (client, nodetool_command, start_command, stop_command, access_level, storage_directory,
                       jmx_address, jmx_port, command_timeout))

/// How an operator names a node; what is given must be so.
struct ConfiguredNode {
  std::optional<std::string> address;  ///< broadcast address
  std::optional<std::string> host_id;
  std::optional<std::string> listen_address;
  std::optional<std::vector<std::string>> tokens;
};
BOOST_DESCRIBE_STRUCT(ConfiguredNode, (), (address, host_id, listen_address, tokens))

/// `plugin_config` of `plugin: cassandra`.
struct PluginOptions {
  static constexpr std::array kRequired{"client"};
  ::cherax::cassandra::ClientOptions client;
  std::optional<std::vector<ConfiguredNode>> nodes;  ///< in the order of coordinator.nodes
  std::optional<std::string> datacenter;             ///< only this one is backed up
  std::uint32_t restore_start_timeout = 3600;        ///< seconds until all nodes are up and see each other
  bool restore_overwrite = false;                    ///< ours: restores may clear nodes that hold user tables
};
BOOST_DESCRIBE_STRUCT(PluginOptions, (), (client, nodes, datacenter, restore_start_timeout, restore_overwrite))

}  // namespace cherax::plugins::cassandra
