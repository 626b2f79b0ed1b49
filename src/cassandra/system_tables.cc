#include "cassandra/system_tables.h"

#include <algorithm>

#include "cassandra/cql/lexer.h"

namespace cherax::cassandra {

namespace {

std::string uuid(const cql::Row& row, std::string_view column) {
  const auto found = row.find<cql::Uuid>(column);
  return found ? found->to_string() : "";
}

std::string address(const cql::Row& row, std::string_view column) {
  return row.get_or_empty<cql::InetAddress>(column).text;
}

/// The columns that local and peers share.
void read_common(const cql::Row& row, NodeInfo& node) {
  node.host_id = uuid(row, "host_id");
  node.datacenter = row.get_or_empty<std::string>("data_center");
  node.rack = row.get_or_empty<std::string>("rack");
  node.release_version = row.get_or_empty<std::string>("release_version");
  node.schema_version = uuid(row, "schema_version");
  node.tokens = row.get_or_empty<std::vector<std::string>>("tokens");
}

std::set<ObjectName> names_from(const cql::Rows& rows, std::string_view keyspace_column, std::string_view name_column) {
  std::set<ObjectName> names;
  for (const cql::Row row : rows)
    names.emplace(row.get<std::string>(keyspace_column), row.get<std::string>(name_column));
  return names;
}

/// nullopt when this version of Cassandra does not have the table.
std::optional<cql::Rows> query_if_table_exists(cql::Connection& connection, std::string_view text, Deadline deadline) {
  try {
    return connection.query(text, deadline);
  } catch (const Error& error) {
    const bool is_missing = error.message().find("does not exist") != std::string::npos ||
                            error.message().find("unconfigured table") != std::string::npos;  // the words before 4.0
    if (error.kind() == ErrorKind::invalid && is_missing) return std::nullopt;
    throw;
  }
}

}  // namespace

LocalInfo local_from(const cql::Rows& rows) {
  if (rows.size() != 1) fail(ErrorKind::corrupt, "system.local has {} rows instead of one", rows.size());
  const cql::Row row = rows[0];
  LocalInfo local;
  read_common(row, local);
  local.address = address(row, "broadcast_address");
  local.native_address = address(row, "rpc_address");
  local.cluster_name = row.get_or_empty<std::string>("cluster_name");
  local.listen_address = address(row, "listen_address");
  local.partitioner = row.get_or_empty<std::string>("partitioner");
  local.bootstrapped = row.get_or_empty<std::string>("bootstrapped");
  return local;
}

std::vector<NodeInfo> peers_from(const cql::Rows& rows) {
  std::vector<NodeInfo> peers;
  for (const cql::Row row : rows) {
    NodeInfo& node = peers.emplace_back();
    read_common(row, node);
    node.address = address(row, "peer");
    node.native_address = address(row, rows.has_column("native_address") ? "native_address" : "rpc_address");
  }
  std::ranges::sort(peers, {}, &NodeInfo::address);
  return peers;
}

RingInfo read_ring(cql::Connection& connection, Deadline deadline) {
  const auto local = connection.query("SELECT * FROM system.local WHERE key = 'local'", deadline);
  auto peers = query_if_table_exists(connection, "SELECT * FROM system.peers_v2", deadline);
  if (!peers) peers = connection.query("SELECT * FROM system.peers", deadline);
  return {local_from(local), peers_from(*peers)};
}

std::string schema_version(cql::Connection& connection, Deadline deadline) {
  const auto rows = connection.query("SELECT schema_version FROM system.local WHERE key = 'local'", deadline);
  if (rows.size() != 1) fail(ErrorKind::corrupt, "system.local has {} rows instead of one", rows.size());
  return rows[0].get<cql::Uuid>("schema_version").to_string();
}

std::map<std::string, std::vector<std::string>> schema_versions(cql::Connection& connection, Deadline deadline) {
  const RingInfo ring = read_ring(connection, deadline);
  std::map<std::string, std::vector<std::string>> versions;
  versions[ring.local.schema_version].push_back(ring.local.address);
  for (const NodeInfo& peer : ring.peers) versions[peer.schema_version].push_back(peer.address);
  return versions;
}

std::set<ObjectName> built_views(cql::Connection& connection, Deadline deadline) {
  return names_from(connection.query("SELECT keyspace_name, view_name FROM system.built_views", deadline),
                    "keyspace_name", "view_name");
}

std::set<ObjectName> built_indexes(cql::Connection& connection, Deadline deadline) {
  // The table's column for the keyspace is called table_name.
  return names_from(connection.query("SELECT table_name, index_name FROM system.\"IndexInfo\"", deadline), "table_name",
                    "index_name");
}

std::set<ObjectName> queryable_sai_indexes(cql::Connection& connection, Deadline deadline) {
  const auto rows = query_if_table_exists(
      connection, "SELECT keyspace_name, index_name, is_queryable FROM system_views.sai_column_indexes", deadline);
  std::set<ObjectName> names;
  if (!rows) return names;
  for (const cql::Row row : *rows) {
    if (row.get<bool>("is_queryable"))
      names.emplace(row.get<std::string>("keyspace_name"), row.get<std::string>("index_name"));
  }
  return names;
}

std::int64_t undelivered_batches(cql::Connection& connection, Deadline deadline) {
  const auto rows = connection.query("SELECT count(*) AS batches FROM system.batches", deadline);
  for (const cql::Row row : rows) return row.get<std::int64_t>("batches");
  return 0;
}

std::map<std::string, std::string> settings(cql::Connection& connection, std::vector<std::string> names,
                                            Deadline deadline) {
  std::ranges::transform(names, names.begin(), cql::quote_string);
  const auto rows = connection.query(
      fmt::format("SELECT name, value FROM system_views.settings WHERE name IN ({})", fmt::join(names, ", ")),
      deadline);
  std::map<std::string, std::string> found;
  for (const cql::Row row : rows) {
    if (auto value = row.find<std::string>("value")) found[row.get<std::string>("name")] = *std::move(value);
  }
  return found;
}

std::vector<std::filesystem::path> parse_directory_list(std::string_view setting) {
  if (setting.starts_with('[') && setting.ends_with(']')) setting = setting.substr(1, setting.size() - 2);
  std::vector<std::filesystem::path> directories;
  while (!setting.empty()) {
    const std::size_t end = std::min(setting.find(", "), setting.size());
    directories.emplace_back(setting.substr(0, end));
    setting.remove_prefix(std::min(end + 2, setting.size()));
  }
  return directories;
}

}  // namespace cherax::cassandra
