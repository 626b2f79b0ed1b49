#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cassandra/cql/value.h"

/// Frames of the CQL native protocol v4 as a client needs them: requests are written, responses are read. Pure. The
/// format and every constant are those of Apache Cassandra's doc/native_protocol_v4.spec, whose sections are cited.
/// Version 4 is spoken by Cassandra 2.2 to 5.0. Compression, events, prepared statements and batches are not used.
namespace cherax::cassandra::cql {

inline constexpr std::size_t kHeaderSize = 9;
/// Section 2.5: the server refuses longer bodies itself.
inline constexpr std::size_t kMaxFrameBody = 256 * 1024 * 1024;

/// Section 2.4.
enum class Opcode : std::uint8_t {
  error = 0x00,
  startup = 0x01,
  ready = 0x02,
  authenticate = 0x03,
  options = 0x05,
  supported = 0x06,
  query = 0x07,
  result = 0x08,
  auth_challenge = 0x0E,
  auth_response = 0x0F,
  auth_success = 0x10,
};

/// Section 3, [consistency].
enum class Consistency : std::uint16_t { one = 0x1, quorum = 0x4, all = 0x5, local_quorum = 0x6, local_one = 0xA };

// --- requests: whole frames -----------------------------------------------------------------------------------------

struct Page {
  std::int32_t size = 0;       ///< rows; 0: no paging
  std::optional<Bytes> state;  ///< from the previous page
};

Bytes encode_options(std::int16_t stream);
Bytes encode_startup(std::int16_t stream);
/// SASL PLAIN (RFC 4616), what PasswordAuthenticator wants.
Bytes encode_plain_auth_response(std::int16_t stream, std::string_view username, std::string_view password);
Bytes encode_query(std::int16_t stream, std::string_view text, Consistency consistency, const Page& page = {});

// --- responses ------------------------------------------------------------------------------------------------------

struct Header {
  std::uint8_t flags = 0;
  std::int16_t stream = 0;
  Opcode opcode = Opcode::error;
  std::uint32_t body_size = 0;
};

/// `bytes` are the first kHeaderSize of a response. Error{corrupt} when they cannot be one of protocol v4, or announce
/// a body of more than `max_body` bytes.
Result<Header> parse_header(ByteView bytes, std::size_t max_body = kMaxFrameBody);

struct Ready {};
struct Authenticate {
  std::string authenticator;  ///< full class name
};
struct Supported {
  std::map<std::string, std::vector<std::string>> options;
};
struct AuthChallenge {};
struct AuthSuccess {};

/// Section 9. What follows the message in the body only repeats it in numbers, and is not read.
struct ServerError {
  std::int32_t code = 0;
  std::string message;  ///< the server's words

  /// Kind by code; a login that fails because the role cannot be read at present is transient, not denied.
  Error to_error() const;
};

struct Void {};
struct SetKeyspace {
  std::string keyspace;
};
struct SchemaChange {
  std::string change;  ///< CREATED, UPDATED, DROPPED
  std::string target;  ///< KEYSPACE, TABLE, TYPE, FUNCTION, AGGREGATE
  std::string keyspace;
  std::string name;  ///< empty for a keyspace
};

struct Column {
  std::string keyspace;
  std::string table;
  std::string name;
  Type type;
};

class Rows;

/// One row; valid as long as its Rows.
class Row {
 public:
  Row(const Rows& rows, std::size_t index) : rows_(&rows), index_(index) {}

  /// nullopt for null. A column that is not there, or is of another type, is Error{invalid}.
  template <class T>
  std::optional<T> find(std::string_view column) const;
  /// Null is Error{invalid}, too.
  template <class T>
  T get(std::string_view column) const;
  /// Null becomes T{}: Cassandra stores an empty collection as null.
  template <class T>
  T get_or_empty(std::string_view column) const {
    return find<T>(column).value_or(T{});
  }

 private:
  const Rows* rows_;
  std::size_t index_;
};

/// What a SELECT or DESCRIBE answered, with names and types of its columns.
class Rows {
 public:
  using Cell = std::optional<Bytes>;

  std::vector<Column> columns;
  std::vector<Cell> cells;            ///< row by row
  std::optional<Bytes> paging_state;  ///< present: there are more pages

  std::size_t size() const { return columns.empty() ? 0 : cells.size() / columns.size(); }
  bool empty() const { return cells.empty(); }
  Row operator[](std::size_t row) const { return {*this, row}; }
  bool has_column(std::string_view name) const;
  /// Error{invalid} when there is none.
  std::size_t column(std::string_view name) const;
  const Cell& cell(std::size_t row, std::size_t column) const { return cells[row * columns.size() + column]; }

  class Iterator {
   public:
    Iterator(const Rows& rows, std::size_t index) : rows_(&rows), index_(index) {}
    Row operator*() const { return {*rows_, index_}; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    const Rows* rows_;
    std::size_t index_;
  };
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }
};

using Message = std::variant<ServerError, Ready, Authenticate, Supported, AuthChallenge, AuthSuccess, Void, Rows,
                             SetKeyspace, SchemaChange>;

struct Response {
  std::vector<std::string> warnings;
  Message message;
};

/// Error{corrupt} for a body that is not what its header says, or a message that is never asked for.
Result<Response> parse_response(const Header& header, ByteView body);

// --- how it is done -------------------------------------------------------------------------------------------------

template <class T>
std::optional<T> Row::find(std::string_view column) const {
  const std::size_t position = rows_->column(column);
  const Rows::Cell& cell = rows_->cell(index_, position);
  if (!cell) return std::nullopt;
  auto value = decode<T>(rows_->columns[position].type, *cell);
  if (!value) throw value.error().in_context(fmt::format("column {}", column));
  return *std::move(value);
}

template <class T>
T Row::get(std::string_view column) const {
  auto value = find<T>(column);
  if (!value) fail(ErrorKind::invalid, "column {}: is null", column);
  return *std::move(value);
}

}  // namespace cherax::cassandra::cql
