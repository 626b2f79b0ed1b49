#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "cassandra/cql/channel.h"
#include "cassandra/cql/frame.h"
#include "cassandra/options.h"

namespace cherax::cassandra::cql {

struct Limits {
  std::size_t frame = 16 * 1024 * 1024;   ///< bytes of one answer's body
  std::size_t result = 64 * 1024 * 1024;  ///< bytes of all pages of one query
  std::int32_t page_rows = 200;
};

/// A blocking session with one node, logged in. One thread at a time. Failures are Errors that name the node and the
/// statement, never the password: {transient} for a lost connection, a deadline that passed, and what Cassandra calls
/// unavailable, overloaded or timed out; the rest as ServerError::to_error() says. After a lost connection or a passed
/// deadline the session is unusable and says so: make a new one.
class Connection {
 public:
  /// The first of `hostnames` with which a session can be opened; refused credentials end the search.
  Connection(const ClientOptions& options, Deadline deadline, Limits limits = {});

  /// All rows, page by page. Error{invalid} when the statement gives none, or more than `Limits::result`.
  Rows query(std::string_view text, Deadline deadline, Consistency consistency = Consistency::one);
  /// A statement that answers no rows. Returns when this node has applied it; the others follow.
  void execute_schema(std::string_view text, Deadline deadline);

  /// `127.0.0.1:9042`
  const std::string& peer() const { return peer_; }

 private:
  void log_in(const ClientOptions& options, Deadline deadline);
  Message start(bool with_tls, Deadline deadline);
  Message ask(ByteView frame, Deadline deadline);

  Limits limits_;
  std::string peer_;
  std::optional<Channel> channel_;
  std::size_t last_body_size_ = 0;
};

}  // namespace cherax::cassandra::cql
