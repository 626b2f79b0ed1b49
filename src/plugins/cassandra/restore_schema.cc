#include "plugins/cassandra/restore_schema.h"

#include <algorithm>

#include "cassandra/schema_session.h"
#include "plugins/cassandra/ring_checks.h"

namespace cherax::plugins::cassandra {

namespace lib = ::cherax::cassandra;

namespace {

constexpr std::chrono::minutes kStatementTimeout{5};

lib::SchemaSession session_for(coordinator::Restore& restore, const lib::ClientOptions& client) {
  return {client, restore.clock(), kStatementTimeout, restore.plan().stop()};
}

void apply(coordinator::Restore& restore, lib::SchemaSession& session, const std::vector<lib::Statement>& statements) {
  api::Progress progress{.total = std::ssize(statements)};
  for (const auto& statement : statements) {
    log::info("{}", lib::to_string(statement));
    session.apply(statement);
    ++progress.handled;
    restore.plan().progress(progress);
  }
}

/// A backup of Astacus does not say how the roles were replicated: on three nodes of each datacenter, as every cluster
/// with passwords should.
std::vector<lib::SystemKeyspace> system_keyspaces(const coordinator::Restore& restore, const PluginData& data,
                                                  const std::vector<RingResult>& rings) {
  if (!data.system_keyspaces.empty()) return data.system_keyspaces;
  lib::SystemKeyspace roles{"system_auth", {{"class", "NetworkTopologyStrategy"}}};
  std::map<std::string, int> nodes_of;
  for (const auto& ring : rings) ++nodes_of[ring.datacenter];
  for (const auto& [datacenter, count] : nodes_of) roles.replication[datacenter] = std::to_string(std::min(count, 3));
  log::warning("{} does not say how system_auth was replicated: it will be on up to three nodes of each datacenter",
               restore.backup().full());
  return {roles};
}

}  // namespace

void restore_schema_before_data(coordinator::Restore& restore, const lib::ClientOptions& client,
                                const PluginData& data) {
  const auto rings = read_results<RingResult>(restore.nodes().all("cassandra/get-ring", api::NodeRequest{}));
  auto session = session_for(restore, client);
  for (const auto& keyspace : system_keyspaces(restore, data, rings)) session.alter_replication(keyspace);
  apply(restore, session, lib::statements_before_data(data.cassandra_schema));
}

void restore_schema_after_data(coordinator::Restore& restore, const lib::ClientOptions& client,
                               const PluginData& data) {
  auto session = session_for(restore, client);
  apply(restore, session, lib::statements_after_data(data.cassandra_schema));
}

}  // namespace cherax::plugins::cassandra
