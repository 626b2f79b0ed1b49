#include "cassandra/addresses.h"
#include "cassandra/cql/connection.h"
#include "cassandra/ring.h"
#include "cassandra/system_tables.h"
#include "plugins/cassandra/extension.h"

namespace cherax::plugins::cassandra {

namespace lib = ::cherax::cassandra;

namespace {

constexpr std::chrono::seconds kQueryTimeout{30};

std::string text_of(lib::Liveness liveness) {
  switch (liveness) {
    case lib::Liveness::up:
      return "up";
    case lib::Liveness::down:
      return "down";
    case lib::Liveness::unknown:
      break;
  }
  return "unknown";
}

std::string text_of(lib::NodeState state) {
  switch (state) {
    case lib::NodeState::normal:
      return "normal";
    case lib::NodeState::leaving:
      return "leaving";
    case lib::NodeState::joining:
      return "joining";
    case lib::NodeState::moving:
      return "moving";
    case lib::NodeState::unknown:
      break;
  }
  return "unknown";
}

void add(std::vector<std::string>& names, const std::set<lib::ObjectName>& objects) {
  for (const auto& [keyspace, name] : objects) names.push_back(fmt::format("{}.{}", keyspace, name));
}

/// `<host id>-<time>-<version>.hints`, from when it is opened until the last of its hints is delivered.
std::int64_t hint_files(const std::filesystem::path& directory) {
  std::int64_t count = 0;
  std::error_code missing;  // Cassandra makes the directory
  for (const auto& entry : std::filesystem::directory_iterator{directory, missing})
    count += entry.path().extension() == ".hints";
  return count;
}

}  // namespace

SchemaHashResult Extension::get_schema_hash() {
  require_data_directory();
  const auto deadline = Deadline::in(kQueryTimeout);
  lib::cql::Connection connection{lib::resolve_client(options_->client), deadline};
  SchemaHashResult result;
  result.schema_hash = lib::schema_version(connection, deadline);
  return result;
}

RingResult Extension::get_ring() {
  RingResult result;
  try {
    const auto deadline = Deadline::in(kQueryTimeout);
    lib::cql::Connection connection{lib::resolve_client(options_->client), deadline};
    const auto local = lib::read_ring(connection, deadline).local;
    result.address = local.address;
    result.listen_address = local.listen_address;
    result.host_id = local.host_id;
    result.datacenter = local.datacenter;
    result.rack = local.rack;
    result.release_version = local.release_version;
    result.partitioner = local.partitioner;
    result.schema_version = local.schema_version;
    result.tokens = local.tokens;
    const auto status = run(options_->nodetool_command, {"status"}, {});
    for (const auto& member : lib::parse_nodetool_status(status).value()) {
      result.members.push_back({member.address, member.host_id, member.datacenter, member.rack,
                                text_of(member.liveness), text_of(member.state)});
    }
    result.answers = result.alive = true;
  } catch (const Error& error) {
    result.why_not = error.message();
    result.denied = error.kind() == ErrorKind::denied;
    try {
      result.alive = lib::sign_of_life(traces()).has_value();
    } catch (const Error& unknown) {
      result.alive = true;  // what may run is not started again
      result.why_not += fmt::format("; and whether it runs is not known: {}", unknown.message());
    }
  }
  return result;
}

BuildsResult Extension::get_builds() {
  const auto deadline = Deadline::in(kQueryTimeout);
  lib::cql::Connection connection{lib::resolve_client(options_->client), deadline};
  BuildsResult result;
  add(result.views, lib::built_views(connection, deadline));
  add(result.indexes, lib::built_indexes(connection, deadline));
  add(result.indexes, lib::queryable_sai_indexes(connection, deadline));
  // In this order: a batch that is given up is a hint before it is removed.
  result.undelivered_batches = lib::undelivered_batches(connection, deadline);
  result.undelivered_hint_files = hint_files(directories().hints);
  result.hints_flush_period_ms = configuration().hints_flush_period.count();
  return result;
}

}  // namespace cherax::plugins::cassandra
