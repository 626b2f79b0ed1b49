#include "plugins/cassandra/restore_schema.h"

#include <algorithm>
#include <set>

#include "cassandra/configuration.h"
#include "cassandra/statements.h"
#include "plugins/cassandra/ring_checks.h"

namespace cherax::plugins::cassandra {

namespace lib = ::cherax::cassandra;

namespace {

constexpr std::chrono::minutes kStatementTimeout{5};
constexpr std::chrono::seconds kBetweenLooks{1};
/// Clients that write batches all the time would keep a restore from its end.
constexpr std::chrono::minutes kBatchesTimeout{10};

void apply(coordinator::Restore& restore, const lib::ClientOptions& client,
           const std::vector<lib::Statement>& statements) {
  lib::cql::Connection connection{lib::resolve_client(client), Deadline::in(kStatementTimeout)};
  api::Progress progress{.total = std::ssize(statements)};
  for (const auto& statement : statements) {
    log::info("{}", lib::to_string(statement));
    lib::apply(connection, statement, restore.clock(), Deadline::in(kStatementTimeout), restore.plan().stop());
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

struct Wanted {
  std::vector<std::string> views, indexes;  // keyspace.name
};

Wanted wanted_of(const lib::Schema& schema) {
  Wanted wanted;
  for (const auto& keyspace : schema.keyspaces) {
    for (const auto& table : keyspace.tables) {
      for (const auto& view : table.materialized_views) wanted.views.push_back(keyspace.name + "." + view.name);
      for (const auto& index : table.indexes) {
        if (lib::index_kind(index) != lib::IndexKind::custom)
          wanted.indexes.push_back(keyspace.name + "." + index.name);
      }
    }
  }
  return wanted;
}

/// One that is missing on some node; tells the plan how many there are.
std::optional<std::string> what_is_not_built(const std::vector<BuildsResult>& nodes, const Wanted& wanted,
                                             coordinator::Restore& restore) {
  api::Progress progress{.total = std::ssize(nodes) * (std::ssize(wanted.views) + std::ssize(wanted.indexes))};
  std::optional<std::string> missing;
  for (std::size_t node = 0; node < nodes.size(); ++node) {
    const auto count = [&](const std::vector<std::string>& names, const std::vector<std::string>& built) {
      for (const auto& name : names) {
        if (std::ranges::find(built, name) != built.end())
          ++progress.handled;
        else
          missing = fmt::format("{} on {}", name, restore.cluster().name(node));
      }
    };
    count(wanted.views, nodes[node].views);
    count(wanted.indexes, nodes[node].indexes);
  }
  restore.plan().progress(progress);
  return missing;
}

/// The updates of a view travel in batches, and its builder does not wait for them.
std::optional<std::string> what_is_not_delivered(const std::vector<BuildsResult>& nodes,
                                                 const coordinator::Cluster& cluster) {
  for (std::size_t node = 0; node < nodes.size(); ++node) {
    if (nodes[node].undelivered_batches > 0)
      return fmt::format("{} batches on {} are not delivered", nodes[node].undelivered_batches, cluster.name(node));
  }
  return std::nullopt;
}

}  // namespace

void restore_schema_before_data(coordinator::Restore& restore, const lib::ClientOptions& client,
                                const PluginData& data) {
  const auto rings = read_results<RingResult>(restore.nodes().all("cassandra/get-ring", api::NodeRequest{}));
  {
    lib::cql::Connection connection{lib::resolve_client(client), Deadline::in(kStatementTimeout)};
    for (const auto& keyspace : system_keyspaces(restore, data, rings)) {
      const auto deadline = Deadline::in(kStatementTimeout);
      connection.execute_schema(lib::alter_replication(keyspace), deadline);
      lib::wait_for_schema_agreement(connection, restore.clock(), deadline, restore.plan().stop());
    }
  }
  apply(restore, client, lib::statements_before_data(data.cassandra_schema));
}

void restore_schema_after_data(coordinator::Restore& restore, const lib::ClientOptions& client,
                               const PluginData& data) {
  apply(restore, client, lib::statements_after_data(data.cassandra_schema));
}

void wait_until_built(coordinator::Restore& restore, const lib::Schema& schema) {
  const Wanted wanted = wanted_of(schema);
  if (wanted.views.empty() && wanted.indexes.empty()) return;
  Clock& clock = restore.clock();
  const SteadyTime end = clock.steady() + restore.cluster().options().poll.duration;
  std::optional<SteadyTime> built;
  for (;;) {
    const auto nodes = read_results<BuildsResult>(restore.nodes().all("cassandra/get-builds", api::NodeRequest{}));
    auto waiting = what_is_not_built(nodes, wanted, restore);
    if (!waiting && !wanted.views.empty()) {
      waiting = what_is_not_delivered(nodes, restore.cluster());
      if (!built) built = clock.steady();
      if (waiting && clock.steady() - *built > kBatchesTimeout) {
        log::warning("all views are built, but {}: perhaps they are of clients", *waiting);
        return;
      }
    }
    if (!waiting) return;
    if (clock.steady() > end) fail(ErrorKind::transient, "{} is still not done (poll.duration)", *waiting);
    clock.sleep_for(kBetweenLooks, restore.plan().stop());
    restore.operation().throw_if_cancelled();
  }
}

}  // namespace cherax::plugins::cassandra
