#pragma once

#include "base/clock.h"
#include "cassandra/cql/connection.h"
#include "cassandra/schema.h"

namespace cherax::cassandra {

/// The rows of `DESCRIBE SCHEMA WITH INTERNALS` and of what it leaves out, as they come over CQL.
struct SchemaRows {
  cql::Rows describe;
  cql::Rows keyspaces;  ///< system_schema.keyspaces
  cql::Rows types;      ///< system_schema.types
  cql::Rows indexes;    ///< system_schema.indexes: the table of an index
  cql::Rows views;      ///< system_schema.views: the table of a view
  cql::Rows triggers;   ///< system_schema.triggers: DESCRIBE knows none
};

/// Pure. Error{corrupt} when the rows do not fit together: the schema changed while they were read.
Schema schema_from(const SchemaRows& rows);
std::vector<SystemKeyspace> system_keyspaces_from(const cql::Rows& keyspaces);

struct SchemaReading {
  std::string version;  ///< `schema_version` of the node, the same before and after
  Schema schema;
  std::vector<SystemKeyspace> system_keyspaces;
};

/// Error{transient} when the schema changed meanwhile.
SchemaReading read_schema(cql::Connection& connection, Deadline deadline);

}  // namespace cherax::cassandra
