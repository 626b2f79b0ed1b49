#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cassandra/cql/connection.h"
#include "cassandra/schema.h"

/// From a schema back to the statements that re-create it, and how one of them is run.
namespace cherax::cassandra {

struct Statement {
  enum class Kind { keyspace, type, function, aggregate, table, index, materialized_view, trigger };
  Kind kind = Kind::keyspace;
  std::string keyspace;
  std::string name;
  std::string table;                        ///< of an index, view or trigger
  std::vector<std::string> argument_types;  ///< of a function or aggregate
  std::string text;                         ///< as described; may hold several statements
  std::vector<std::string> parts;           ///< the same, one statement each: CQL takes one a request
  bool operator==(const Statement&) const = default;
};

/// For messages: `table shop.orders`, `function shop.plus(int, int)`.
std::string to_string(const Statement& statement);

/// What must be there before SSTables are placed, in an order in which every statement finds what it needs: for each
/// keyspace itself, its types (a type after those in its fields), functions, aggregates, tables, views. A keyspace
/// whose `network_topology_strategy_dcs` is not what its statement says gets a statement that says so: a backup of one
/// datacenter names only that one. System keyspaces and tables without a statement (tables_without_statement()) are
/// left out. Error{corrupt} for text that cannot be split.
std::vector<Statement> statements_before_data(const Schema& schema);

/// What is made of the data, or acts on it: indexes, triggers. Views are made of it too, but must be there before:
/// docs/operating.md, "Things that surprised us".
std::vector<Statement> statements_after_data(const Schema& schema);

/// `ALTER KEYSPACE … WITH replication = …`
std::string alter_replication(const SystemKeyspace& keyspace);

/// What the node describes under the statement's name now; nullopt when there is no such object.
std::optional<std::string> describe(cql::Connection& connection, const Statement& statement, Deadline deadline);

enum class Applied { created, existed };
/// Runs the parts one after another, and waits after each until all nodes agree on the schema. An object that is there
/// already, with the same id and definition (same_definition()), is success; a table that lacks some of the later
/// parts, because a run before was cut off, gets those. One that differs is Error{already_exists} with both
/// definitions.
Applied apply(cql::Connection& connection, const Statement& statement, Clock& clock, Deadline deadline,
              std::stop_token stop = {});

/// Until this node and all its peers have one version; a peer whose version is not known does not agree.
/// Error{transient} at the deadline, with the versions and who has them.
void wait_for_schema_agreement(cql::Connection& connection, Clock& clock, Deadline deadline, std::stop_token stop = {});

}  // namespace cherax::cassandra
