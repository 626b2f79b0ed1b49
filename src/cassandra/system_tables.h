#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cassandra/cql/connection.h"

/// What a node says about itself and its cluster in its system tables. What these tables do not show: whether a node is
/// up, joining or moving (a joining node is not in them at all); that is what ring.h reads from `nodetool status`.
namespace cherax::cassandra {

struct NodeInfo {
  std::string address;  ///< broadcast address: how the nodes name each other
  std::string host_id;
  std::string datacenter;
  std::string rack;
  std::string release_version;
  std::string native_address;  ///< where its CQL clients connect
  std::string schema_version;  ///< empty: not known
  std::vector<std::string> tokens;
  bool operator==(const NodeInfo&) const = default;
};

struct LocalInfo : NodeInfo {
  std::string cluster_name;
  std::string listen_address;
  std::string partitioner;
  std::string bootstrapped;  ///< COMPLETED, …
};

/// system.local, and system.peers_v2 (or system.peers, where that does not exist).
struct RingInfo {
  LocalInfo local;
  std::vector<NodeInfo> peers;
};

/// Pure.
LocalInfo local_from(const cql::Rows& local);
std::vector<NodeInfo> peers_from(const cql::Rows& peers);

RingInfo read_ring(cql::Connection& connection, Deadline deadline);
std::string schema_version(cql::Connection& connection, Deadline deadline);
/// As this node sees it: version → addresses. More than one version: no agreement. A node whose version is not known is
/// under "".
std::map<std::string, std::vector<std::string>> schema_versions(cql::Connection& connection, Deadline deadline);

/// (keyspace, name)
using ObjectName = std::pair<std::string, std::string>;

/// Views that this node has built: system.built_views.
std::set<ObjectName> built_views(cql::Connection& connection, Deadline deadline);
/// Indexes that this node has built: system."IndexInfo". SAI appears here too, but not after SSTables were placed with
/// their SAI components and nothing had to be built.
std::set<ObjectName> built_indexes(cql::Connection& connection, Deadline deadline);
/// Storage-attached indexes that this node can query: system_views.sai_column_indexes (5.0; empty before it).
std::set<ObjectName> queryable_sai_indexes(cql::Connection& connection, Deadline deadline);

/// Logged batches in this node's system.batches that it has not delivered yet. While a view is built they hold the
/// updates that other nodes did not take at once, for example because they did not know the view yet; they are sent
/// again every ten seconds. system.built_views does not wait for them.
std::int64_t undelivered_batches(cql::Connection& connection, Deadline deadline);

/// The directories as Cassandra resolved them when it started: system_views.settings (4.0 and later). The key is the
/// name in cassandra.yaml; a setting that is null is left out.
std::map<std::string, std::string> settings(cql::Connection& connection, std::vector<std::string> names,
                                            Deadline deadline);
/// `[/a/data, /b/data]`, as the setting data_file_directories reads.
std::vector<std::filesystem::path> parse_directory_list(std::string_view setting);

}  // namespace cherax::cassandra
