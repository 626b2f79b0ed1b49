#include "cassandra/cql/connection.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/log.h"

namespace cherax::cassandra::cql {

namespace {

constexpr std::uint16_t kDefaultPort = 9042;
/// Requests follow each other, so one stream id serves all.
constexpr std::int16_t kStream = 0;

std::string endpoint(const std::string& host, std::uint16_t port) {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

std::optional<TlsOptions> tls_of(const ClientOptions& options) {
  if (!options.ca_cert_path) {
    if (options.client_cert_path || options.client_key_path || options.tls_server_name) {
      fail(ErrorKind::invalid,
           "client_cert_path, client_key_path and tls_server_name need ca_cert_path: without it there is no TLS");
    }
    return std::nullopt;
  }
  if (options.client_key_path && !options.client_cert_path) {
    fail(ErrorKind::invalid, "client_key_path needs client_cert_path");
  }
  return TlsOptions{*options.ca_cert_path, options.client_cert_path, options.client_key_path, options.tls_server_name};
}

/// Enough of a statement to recognize it.
std::string shortened(std::string_view text) {
  constexpr std::size_t kShown = 100;
  std::string shown{text.substr(0, kShown)};
  std::ranges::replace(shown, '\n', ' ');
  return text.size() > kShown ? shown + "…" : shown;
}

}  // namespace

Connection::Connection(const ClientOptions& options, Deadline deadline, Limits limits) : limits_(limits) {
  const auto tls = tls_of(options);
  const std::uint16_t port = options.port.value_or(kDefaultPort);
  const auto hosts = options.hostnames.empty() ? std::vector<std::string>{"127.0.0.1"} : options.hostnames;
  std::optional<Error> failure;
  for (const std::string& host : hosts) {
    peer_ = endpoint(host, port);
    try {
      in_context(fmt::format("CQL session with {}", peer_), [&] {
        channel_.emplace(host, port, tls, deadline);
        log_in(options, deadline);
      });
      return;
    } catch (const Error& error) {
      failure = failure ? Error{error.kind(), fmt::format("{}; {}", failure->message(), error.message())} : error;
      if (error.kind() == ErrorKind::denied || error.kind() == ErrorKind::invalid) break;
    }
  }
  throw Error{*failure};
}

void Connection::log_in(const ClientOptions& options, Deadline deadline) {
  Message message = start(options.ca_cert_path.has_value(), deadline);
  if (const auto* wanted = std::get_if<Authenticate>(&message)) {
    if (!options.username) {
      fail(ErrorKind::denied, "the server asks for a user name and password ({}): set username and password",
           wanted->authenticator);
    }
    const std::string authenticator = wanted->authenticator;
    message = ask(encode_plain_auth_response(kStream, *options.username, options.password.value_or("")), deadline);
    if (std::holds_alternative<AuthSuccess>(message)) return;
    fail(ErrorKind::invalid, "{} asks for more than a user name and password", authenticator);
  }
  if (!std::holds_alternative<Ready>(message))
    fail(ErrorKind::corrupt, "an answer to STARTUP that the protocol does not know");
}

Message Connection::start(bool with_tls, Deadline deadline) {
  try {
    return ask(encode_startup(kStream), deadline);
  } catch (const Error& error) {
    // A port that wants TLS hangs up without a word.
    if (with_tls || error.kind() != ErrorKind::transient) throw;
    fail(error.kind(), "{} (if the port wants TLS, set ca_cert_path)", error.message());
  }
}

Message Connection::ask(ByteView frame, Deadline deadline) {
  if (!channel_) fail(ErrorKind::transient, "the connection was lost before: open a new one");
  // Taken out for the time being: an exception on the way leaves an answer unread, which must never be taken for the
  // next.
  Channel channel = *std::exchange(channel_, std::nullopt);
  channel.send(frame, deadline);
  std::array<std::byte, kHeaderSize> head;
  channel.receive(head, deadline);
  const Header header = parse_header(head, limits_.frame).value();
  Bytes body(header.body_size);
  channel.receive(body, deadline);
  if (header.stream != kStream) fail(ErrorKind::corrupt, "an answer to request {}, which was not made", header.stream);
  Response response = parse_response(header, body).value();
  channel_ = std::move(channel);
  last_body_size_ = body.size();

  for (const std::string& warning : response.warnings) log::debug("{} warns: {}", peer_, warning);
  if (const auto* error = std::get_if<ServerError>(&response.message)) throw error->to_error();
  return std::move(response.message);
}

Rows Connection::query(std::string_view text, Deadline deadline, Consistency consistency) {
  return in_context(fmt::format("CQL \"{}\" on {}", shortened(text), peer_), [&] {
    Rows all;
    std::size_t bytes = 0;
    Page page{limits_.page_rows, std::nullopt};
    do {
      Message message = ask(encode_query(kStream, text, consistency, page), deadline);
      auto* rows = std::get_if<Rows>(&message);
      if (!rows) fail(ErrorKind::invalid, "the statement gives no rows");
      bytes += last_body_size_;
      if (bytes > limits_.result) {
        fail(ErrorKind::invalid, "the answer has more than the {} bytes allowed", limits_.result);
      }
      page.state = std::move(rows->paging_state);
      if (all.columns.empty())
        all.columns = std::move(rows->columns);
      else if (all.columns.size() != rows->columns.size())
        fail(ErrorKind::corrupt, "the pages of the answer differ in their columns");
      std::ranges::move(rows->cells, std::back_inserter(all.cells));
    } while (page.state);
    return all;
  });
}

void Connection::execute_schema(std::string_view text, Deadline deadline) {
  in_context(fmt::format("CQL \"{}\" on {}", shortened(text), peer_), [&] {
    const Message message = ask(encode_query(kStream, text, Consistency::one), deadline);
    if (!std::holds_alternative<SchemaChange>(message) && !std::holds_alternative<Void>(message)) {
      fail(ErrorKind::invalid, "the statement changes no schema");
    }
  });
}

}  // namespace cherax::cassandra::cql
