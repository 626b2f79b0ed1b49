#include "cassandra/cql/frame.h"

#include <algorithm>

#include "cassandra/cql/reader.h"

namespace cherax::cassandra::cql {

namespace {

constexpr std::uint8_t kRequestVersion = 0x04;   // section 2.1
constexpr std::uint8_t kResponseVersion = 0x84;  // section 2.1

// Section 2.2, flags of a frame.
constexpr std::uint8_t kCompressed = 0x01;
constexpr std::uint8_t kTracing = 0x02;
constexpr std::uint8_t kCustomPayload = 0x04;
constexpr std::uint8_t kWarning = 0x08;

// Section 4.1.4, flags of a query.
constexpr std::uint8_t kPageSize = 0x04;
constexpr std::uint8_t kPagingState = 0x08;

// Section 4.2.5, kinds of a result.
constexpr std::int32_t kVoid = 1;
constexpr std::int32_t kRows = 2;
constexpr std::int32_t kSetKeyspace = 3;
constexpr std::int32_t kSchemaChange = 5;

// Section 4.2.5.2, flags of the metadata.
constexpr std::int32_t kGlobalTable = 0x1;
constexpr std::int32_t kMorePages = 0x2;
constexpr std::int32_t kNoMetadata = 0x4;

/// Real types nest a handful deep; the bound keeps hostile ones off the stack.
constexpr int kMaxTypeDepth = 32;

// --- requests -------------------------------------------------------------------------------------------------------

class Writer {
 public:
  Writer(Opcode opcode, std::int16_t stream) {
    byte(kRequestVersion);
    byte(0);
    short_(static_cast<std::uint16_t>(stream));
    byte(static_cast<std::uint8_t>(opcode));
    int_(0);
  }

  void byte(std::uint8_t value) { bytes_.push_back(std::byte{value}); }
  void short_(std::uint16_t value) {
    byte(static_cast<std::uint8_t>(value >> 8));
    byte(static_cast<std::uint8_t>(value));
  }
  void int_(std::uint32_t value) {
    short_(static_cast<std::uint16_t>(value >> 16));
    short_(static_cast<std::uint16_t>(value));
  }
  void append(ByteView bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  void string(std::string_view text) {
    short_(static_cast<std::uint16_t>(text.size()));
    append(as_bytes(text));
  }
  /// [bytes] and [long string] look the same.
  void long_bytes(ByteView bytes) {
    int_(static_cast<std::uint32_t>(bytes.size()));
    append(bytes);
  }

  Bytes finish() && {
    const std::size_t size = bytes_.size() - kHeaderSize;
    if (size > kMaxFrameBody)
      fail(ErrorKind::invalid, "a CQL request of {} bytes: at most {} are allowed", size, kMaxFrameBody);
    for (std::size_t i = 0; i < 4; ++i) bytes_[5 + i] = static_cast<std::byte>(size >> (24 - 8 * i));
    return std::move(bytes_);
  }

 private:
  Bytes bytes_;
};

// --- responses ------------------------------------------------------------------------------------------------------

Error broken(std::string_view what) {
  return make_error(ErrorKind::corrupt, "the CQL server's answer is broken: {}", what);
}

std::vector<std::string> read_string_list(Reader& reader) {
  std::vector<std::string> strings;
  for (std::size_t count = reader.short_(); count > 0 && reader.good(); --count) strings.push_back(reader.string());
  return strings;
}

Type read_type(Reader& reader, int depth) {
  Type type;
  if (depth > kMaxTypeDepth) {
    reader.fail();
    return type;
  }
  const auto add_parameters = [&](std::size_t count) {
    for (; count > 0 && reader.good(); --count) type.parameters.push_back(read_type(reader, depth + 1));
  };
  type.id = static_cast<TypeId>(reader.short_());
  switch (type.id) {
    case TypeId::custom:
      type.name = reader.string();
      break;
    case TypeId::list:
    case TypeId::set:
      add_parameters(1);
      break;
    case TypeId::map:
      add_parameters(2);
      break;
    case TypeId::tuple:
      add_parameters(reader.short_());
      break;
    case TypeId::udt:
      reader.string();  // its keyspace
      type.name = reader.string();
      for (std::size_t count = reader.short_(); count > 0 && reader.good(); --count) {
        reader.string();  // the field's name
        add_parameters(1);
      }
      break;
    default:
      // An id that this protocol version does not have carries an unknown value: nothing after it could be read.
      if (name_of(type.id).empty()) reader.fail();
  }
  return type;
}

bool read_columns(Reader& reader, Rows& rows) {
  const std::int32_t flags = reader.int_();
  const std::int32_t count = reader.int_();
  if (flags & kMorePages) {
    const auto state = reader.bytes();
    if (state.is_null) return false;
    rows.paging_state = Bytes{state.bytes.begin(), state.bytes.end()};
  }
  if ((flags & kNoMetadata) != 0 || count < 0) return false;  // never asked for
  Column shared;
  if (flags & kGlobalTable) {
    shared.keyspace = reader.string();
    shared.table = reader.string();
  }
  for (std::int32_t i = 0; i < count && reader.good(); ++i) {
    Column column = shared;
    if (!(flags & kGlobalTable)) {
      column.keyspace = reader.string();
      column.table = reader.string();
    }
    column.name = reader.string();
    column.type = read_type(reader, 0);
    rows.columns.push_back(std::move(column));
  }
  return reader.good();
}

Result<Message> read_rows(Reader& reader) {
  Rows rows;
  if (!read_columns(reader, rows)) return broken("the description of its columns");
  const std::int32_t count = reader.int_();
  const std::uint64_t cells = static_cast<std::uint64_t>(std::max(count, 0)) * rows.columns.size();
  // Every cell takes at least the four bytes of its length.
  if (count < 0 || (count > 0 && rows.columns.empty()) || cells > reader.remaining() / 4)
    return broken("its number of rows");
  rows.cells.reserve(cells);
  for (std::uint64_t i = 0; i < cells && reader.good(); ++i) {
    const auto cell = reader.bytes();
    if (cell.is_null)
      rows.cells.emplace_back();
    else
      rows.cells.emplace_back(std::in_place, cell.bytes.begin(), cell.bytes.end());
  }
  if (!reader.good()) return broken("its rows end early");
  return Message{std::move(rows)};
}

SchemaChange read_schema_change(Reader& reader) {
  SchemaChange change;
  change.change = reader.string();
  change.target = reader.string();
  change.keyspace = reader.string();
  if (change.target != "KEYSPACE") change.name = reader.string();
  return change;
}

Result<Message> read_result(Reader& reader) {
  switch (const std::int32_t kind = reader.int_()) {
    case kVoid:
      return Message{Void{}};
    case kRows:
      return read_rows(reader);
    case kSetKeyspace:
      return Message{SetKeyspace{reader.string()}};
    case kSchemaChange:
      return Message{read_schema_change(reader)};
    default:
      return broken(fmt::format("a result of kind {}", kind));
  }
}

Supported read_supported(Reader& reader) {
  Supported supported;
  for (std::size_t count = reader.short_(); count > 0 && reader.good(); --count) {
    std::string name = reader.string();
    supported.options[std::move(name)] = read_string_list(reader);
  }
  return supported;
}

Result<Message> read_message(Opcode opcode, Reader& reader) {
  switch (opcode) {
    case Opcode::error: {
      const std::int32_t code = reader.int_();
      return Message{ServerError{code, reader.string()}};
    }
    case Opcode::ready:
      return Message{Ready{}};
    case Opcode::authenticate:
      return Message{Authenticate{reader.string()}};
    case Opcode::supported:
      return Message{read_supported(reader)};
    case Opcode::result:
      return read_result(reader);
    case Opcode::auth_challenge:
      return Message{AuthChallenge{}};
    case Opcode::auth_success:
      return Message{AuthSuccess{}};
    default:
      return broken(fmt::format("a message of type 0x{:02x}", static_cast<unsigned>(opcode)));
  }
}

ErrorKind kind_of(const ServerError& error) {
  switch (error.code) {
    case 0x0100:  // bad credentials
    case 0x2100:  // unauthorized
      // The node could not read the role's rows: "Unable to perform authentication: Cannot achieve consistency level
      // …".
      return error.message.starts_with("Unable to perform auth") ? ErrorKind::transient : ErrorKind::denied;
    case 0x1000:  // unavailable
    case 0x1001:  // overloaded
    case 0x1002:  // is bootstrapping
    case 0x1003:  // truncate error
    case 0x1100:  // write timeout
    case 0x1200:  // read timeout
    case 0x1300:  // read failure
    case 0x1500:  // write failure
      return ErrorKind::transient;
    case 0x2000:  // syntax error
    case 0x2200:  // invalid
    case 0x2300:  // configuration error
      return ErrorKind::invalid;
    case 0x2400:  // already exists
      return ErrorKind::already_exists;
    default:  // 0x0000 server error, 0x000A protocol error, 0x1400 function failure, 0x2500 unprepared
      return ErrorKind::internal;
  }
}

}  // namespace

Bytes encode_options(std::int16_t stream) { return Writer{Opcode::options, stream}.finish(); }

Bytes encode_startup(std::int16_t stream) {
  Writer writer{Opcode::startup, stream};
  writer.short_(1);
  writer.string("CQL_VERSION");
  writer.string("3.0.0");
  return std::move(writer).finish();
}

Bytes encode_plain_auth_response(std::int16_t stream, std::string_view username, std::string_view password) {
  std::string token;
  token += '\0';
  token += username;
  token += '\0';
  token += password;
  Writer writer{Opcode::auth_response, stream};
  writer.long_bytes(as_bytes(token));
  return std::move(writer).finish();
}

Bytes encode_query(std::int16_t stream, std::string_view text, Consistency consistency, const Page& page) {
  Writer writer{Opcode::query, stream};
  writer.long_bytes(as_bytes(text));
  writer.short_(static_cast<std::uint16_t>(consistency));
  writer.byte(static_cast<std::uint8_t>((page.size > 0 ? kPageSize : 0) | (page.state ? kPagingState : 0)));
  if (page.size > 0) writer.int_(static_cast<std::uint32_t>(page.size));
  if (page.state) writer.long_bytes(*page.state);
  return std::move(writer).finish();
}

Result<Header> parse_header(ByteView bytes, std::size_t max_body) {
  Reader reader{bytes};
  const std::uint8_t version = reader.byte();
  Header header;
  header.flags = reader.byte();
  header.stream = static_cast<std::int16_t>(reader.short_());
  header.opcode = static_cast<Opcode>(reader.byte());
  header.body_size = static_cast<std::uint32_t>(reader.int_());
  if (!reader.good()) return broken("its header ends early");
  if (version != kResponseVersion) {
    return make_error(
        ErrorKind::corrupt,
        "the answer starts with byte 0x{:02x} instead of 0x84: this is no CQL server that speaks protocol "
        "version 4 (is the port right, and does it want TLS?)",
        version);
  }
  if (header.body_size > max_body) {
    return make_error(ErrorKind::corrupt, "the CQL server announces a frame of {} bytes, more than the {} allowed",
                      header.body_size, max_body);
  }
  return header;
}

Result<Response> parse_response(const Header& header, ByteView body) {
  if (header.flags & kCompressed) return broken("it is compressed, which was not agreed upon");
  if (header.flags & (kTracing | kCustomPayload))
    return broken("it carries a trace or payload, which was not asked for");
  Reader reader{body};
  Response response;
  if (header.flags & kWarning) response.warnings = read_string_list(reader);
  auto message = read_message(header.opcode, reader);
  if (!message) return message.error();
  if (!reader.good()) return broken("it ends early");
  response.message = *std::move(message);
  return response;
}

Error ServerError::to_error() const {
  return make_error(kind_of(*this), "Cassandra answered: {} (code 0x{:04x})", message,
                    static_cast<std::uint32_t>(code));
}

bool Rows::has_column(std::string_view name) const {
  return std::ranges::find(columns, name, &Column::name) != columns.end();
}

std::size_t Rows::column(std::string_view name) const {
  const auto found = std::ranges::find(columns, name, &Column::name);
  if (found == columns.end()) fail(ErrorKind::invalid, "the CQL server's answer has no column {}", name);
  return static_cast<std::size_t>(found - columns.begin());
}

}  // namespace cherax::cassandra::cql
