// The CQL client's parsers on hostile answers: every frame gives a value or Error{corrupt}; every cell, read as every
// type there is, gives a value, Error{corrupt} or Error{invalid}. Seeds: tests/vectors/cql.

#include <cstdint>
#include <cstdlib>

#include "cassandra/cql/frame.h"

namespace {

using namespace cherax;
using namespace cherax::cassandra::cql;

template <class T>
void decode_as(const Type& type, ByteView bytes) {
  const auto value = decode<T>(type, bytes);
  if (!value && value.error().kind() != ErrorKind::corrupt && value.error().kind() != ErrorKind::invalid) std::abort();
}

void decode_every_cell(const Rows& rows) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (std::size_t column = 0; column < rows.columns.size(); ++column) {
      const auto& cell = rows.cell(row, column);
      if (!cell) continue;
      const Type& type = rows.columns[column].type;
      decode_as<std::string>(type, *cell);
      decode_as<std::int32_t>(type, *cell);
      decode_as<std::int64_t>(type, *cell);
      decode_as<bool>(type, *cell);
      decode_as<Uuid>(type, *cell);
      decode_as<InetAddress>(type, *cell);
      decode_as<Timestamp>(type, *cell);
      decode_as<Bytes>(type, *cell);
      decode_as<std::vector<std::string>>(type, *cell);
      decode_as<std::set<std::string>>(type, *cell);
      decode_as<std::map<std::string, std::string>>(type, *cell);
      decode_as<std::map<std::string, std::vector<std::int32_t>>>(type, *cell);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = std::as_bytes(std::span{data, size});
  const auto header = parse_header(bytes.first(std::min(size, kHeaderSize)));
  if (!header) {
    if (header.error().kind() != ErrorKind::corrupt) std::abort();
    return 0;
  }
  const auto response = parse_response(*header, bytes.subspan(kHeaderSize));
  if (!response) {
    if (response.error().kind() != ErrorKind::corrupt) std::abort();
    return 0;
  }
  if (const auto* rows = std::get_if<Rows>(&response->message)) decode_every_cell(*rows);
  if (const auto* error = std::get_if<ServerError>(&response->message)) error->to_error();
  return 0;
}
