#include "cassandra/schema_session.h"

#include "base/log.h"
#include "cassandra/addresses.h"

namespace cherax::cassandra {

namespace {

constexpr std::chrono::seconds kBetweenTries{1};

}  // namespace

SchemaSession::SchemaSession(ClientOptions client, Clock& clock, Duration patience, std::stop_token stop)
    : client_(resolve_client(std::move(client))), clock_(clock), patience_(patience), stop_(std::move(stop)) {}

template <class Work>
auto SchemaSession::trying(Work work) {
  const Deadline deadline = Deadline::in(patience_);
  for (;;) {
    try {
      if (!connection_) connection_.emplace(client_, deadline);
      return work(*connection_, deadline);
    } catch (const Error& error) {
      connection_.reset();
      if (error.kind() != ErrorKind::transient || deadline.remaining() < kBetweenTries) throw;
      log::warning("{}: trying again", error.message());
    }
    if (!clock_.sleep_for(kBetweenTries, stop_)) fail(ErrorKind::cancelled, "cancelled while changing the schema");
  }
}

Applied SchemaSession::apply(const Statement& statement) {
  return trying([&](cql::Connection& connection, Deadline deadline) {
    return cassandra::apply(connection, statement, clock_, deadline, stop_);
  });
}

void SchemaSession::alter_replication(const SystemKeyspace& keyspace) {
  trying([&](cql::Connection& connection, Deadline deadline) {
    connection.execute_schema(cassandra::alter_replication(keyspace), deadline);
    wait_for_schema_agreement(connection, clock_, deadline, stop_);
  });
}

}  // namespace cherax::cassandra
