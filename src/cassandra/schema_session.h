#pragma once

#include <optional>
#include <stop_token>

#include "base/clock.h"
#include "cassandra/cql/connection.h"
#include "cassandra/statements.h"

namespace cherax::cassandra {

/// Changes the schema through whichever of the client's hosts answers. What passes by itself (Error{transient}: a lost
/// connection, a node that has just started and does not see the others yet) is tried again on a new connection, for
/// up to `patience` per change; each change leaves alone what a try before has done. One thread.
class SchemaSession {
 public:
  SchemaSession(ClientOptions client, Clock& clock, Duration patience, std::stop_token stop);

  /// See cassandra::apply().
  Applied apply(const Statement& statement);
  /// Returns when all nodes know it.
  void alter_replication(const SystemKeyspace& keyspace);

 private:
  template <class Work>
  auto trying(Work work);

  const ClientOptions client_;
  Clock& clock_;
  const Duration patience_;
  const std::stop_token stop_;
  std::optional<cql::Connection> connection_;
};

}  // namespace cherax::cassandra
