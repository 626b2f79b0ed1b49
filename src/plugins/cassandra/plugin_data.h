#pragma once

#include <boost/describe/class.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "cassandra/schema.h"

namespace cherax::plugins::cassandra {

/// A node in a manifest. From `datacenter` on ours: absent in backups of Astacus.
struct BackupNode {
  static constexpr std::array kOmittedWhenDefault{"datacenter", "release_version", "partitioner",
                                                  "num_tokens", "snapshot_start",  "snapshot_end"};
  std::string address;
  std::string host_id;
  std::string listen_address;
  std::string rack;
  std::vector<std::string> tokens;
  std::string datacenter;
  std::string release_version;
  std::string partitioner;
  std::int64_t num_tokens = 0;
  std::optional<Timestamp> snapshot_start;  ///< of Cassandra's snapshot
  std::optional<Timestamp> snapshot_end;
};
BOOST_DESCRIBE_STRUCT(BackupNode, (),
                      (address, host_id, listen_address, rack, tokens, datacenter, release_version, partitioner,
                       num_tokens, snapshot_start, snapshot_end))

/// The manifest's `plugin_data` (docs/format.md).
struct PluginData {
  static constexpr std::array kRequired{"cassandra_schema", "nodes"};
  ::cherax::cassandra::Schema cassandra_schema;
  std::vector<BackupNode> nodes;                                        ///< in the order of snapshot_results
  std::vector<::cherax::cassandra::SystemKeyspace> system_keyspaces{};  ///< ours
};
BOOST_DESCRIBE_STRUCT(PluginData, (), (cassandra_schema, nodes, system_keyspaces))

}  // namespace cherax::plugins::cassandra
