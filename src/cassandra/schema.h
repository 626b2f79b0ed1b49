#pragma once

#include <boost/describe/class.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

/// A cluster's schema in the words of Cassandra's own DESCRIBE, in the shape of Astacus' `plugin_data.cassandra_schema`
/// (docs/format.md): members are the keys. Names are plain, without CQL's quotes. `cql_create_self` is what re-creates
/// the object; where it holds several statements, `;` stands between them. Everything keeps the order of DESCRIBE.
namespace cherax::cassandra {

struct UserType {
  std::string name;
  std::string cql_create_self;
  std::vector<std::string> field_types;
  bool operator==(const UserType&) const = default;
};
BOOST_DESCRIBE_STRUCT(UserType, (), (name, cql_create_self, field_types))

struct Function {
  std::string name;
  std::string cql_create_self;
  std::vector<std::string> argument_types;
  bool operator==(const Function&) const = default;
};
BOOST_DESCRIBE_STRUCT(Function, (), (name, cql_create_self, argument_types))

struct Aggregate {
  std::string name;
  std::string cql_create_self;
  std::vector<std::string> argument_types;
  bool operator==(const Aggregate&) const = default;
};
BOOST_DESCRIBE_STRUCT(Aggregate, (), (name, cql_create_self, argument_types))

struct Index {
  std::string name;
  std::string cql_create_self;
  bool operator==(const Index&) const = default;
};
BOOST_DESCRIBE_STRUCT(Index, (), (name, cql_create_self))

struct MaterializedView {
  std::string name;
  std::string cql_create_self;
  bool operator==(const MaterializedView&) const = default;
};
BOOST_DESCRIBE_STRUCT(MaterializedView, (), (name, cql_create_self))

struct Trigger {
  std::string name;
  std::string cql_create_self;
  bool operator==(const Trigger&) const = default;
};
BOOST_DESCRIBE_STRUCT(Trigger, (), (name, cql_create_self))

struct Table {
  std::string name;
  std::string cql_create_self;  ///< without indexes, views and triggers
  std::vector<Index> indexes;
  std::vector<MaterializedView> materialized_views;
  std::vector<Trigger> triggers;
  bool operator==(const Table&) const = default;
};
BOOST_DESCRIBE_STRUCT(Table, (), (name, cql_create_self, indexes, materialized_views, triggers))

struct Keyspace {
  std::string name;
  std::string cql_create_self;
  bool durable_writes = true;
  std::map<std::string, std::string> network_topology_strategy_dcs;  ///< datacenter → replicas; empty: another strategy
  std::vector<UserType> user_types;
  std::vector<Function> functions;
  std::vector<Aggregate> aggregates;
  std::vector<Table> tables;
  bool operator==(const Keyspace&) const = default;
};
BOOST_DESCRIBE_STRUCT(Keyspace, (),
                      (name, cql_create_self, durable_writes, network_topology_strategy_dcs, user_types, functions,
                       aggregates, tables))

struct Schema {
  std::vector<Keyspace> keyspaces;  ///< without system keyspaces
  bool operator==(const Schema&) const = default;
};
BOOST_DESCRIBE_STRUCT(Schema, (), (keyspaces))

/// The replication of a system keyspace that is replicated: roles live in `system_auth`. Ours, in
/// `plugin_data.system_keyspaces`.
struct SystemKeyspace {
  std::string name;
  std::map<std::string, std::string> replication;  ///< class and options, as in system_schema.keyspaces
  bool operator==(const SystemKeyspace&) const = default;
};
BOOST_DESCRIBE_STRUCT(SystemKeyspace, (), (name, replication))

/// Those that a schema leaves out: Cassandra creates them itself.
bool is_system_keyspace(std::string_view name);
/// Those of them whose replication a cluster chooses: system_auth, system_distributed, system_traces.
bool is_replicated_system_keyspace(std::string_view name);

/// The id in `WITH ID = …` of a table's or view's statement; nullopt when it has none (as in backups of Astacus).
std::optional<std::string> table_id(std::string_view create_statement);

/// What DESCRIBE gives only inside a comment: tables of the legacy API, which no statement can re-create. `ks.table`.
std::vector<std::string> tables_without_statement(const Schema& schema);

}  // namespace cherax::cassandra
