#include "cassandra/cql/value.h"

#include <arpa/inet.h>

#include <limits>

#include "cassandra/cql/reader.h"

namespace cherax::cassandra::cql {

std::string_view name_of(TypeId id) {
  switch (id) {
    case TypeId::custom:
      return "custom type";
    case TypeId::ascii:
      return "ascii";
    case TypeId::bigint:
      return "bigint";
    case TypeId::blob:
      return "blob";
    case TypeId::boolean:
      return "boolean";
    case TypeId::counter:
      return "counter";
    case TypeId::decimal:
      return "decimal";
    case TypeId::double_:
      return "double";
    case TypeId::float_:
      return "float";
    case TypeId::int_:
      return "int";
    case TypeId::timestamp:
      return "timestamp";
    case TypeId::uuid:
      return "uuid";
    case TypeId::varchar:
      return "text";
    case TypeId::varint:
      return "varint";
    case TypeId::timeuuid:
      return "timeuuid";
    case TypeId::inet:
      return "inet";
    case TypeId::date:
      return "date";
    case TypeId::time:
      return "time";
    case TypeId::smallint:
      return "smallint";
    case TypeId::tinyint:
      return "tinyint";
    case TypeId::list:
      return "list";
    case TypeId::map:
      return "map";
    case TypeId::set:
      return "set";
    case TypeId::udt:
      return "user type";
    case TypeId::tuple:
      return "tuple";
  }
  return {};
}

namespace {

Error wrong_size(const Type& type, ByteView bytes) {
  return make_error(ErrorKind::corrupt, "{} bytes are no CQL {}", bytes.size(), to_string(type));
}

template <class Integer>
Result<Integer> decode_integer(const Type& type, ByteView bytes) {
  if (bytes.size() != sizeof(Integer)) return wrong_size(type, bytes);
  Reader reader{bytes};
  if constexpr (sizeof(Integer) == 4)
    return reader.int_();
  else
    return reader.long_();
}

}  // namespace

std::string to_string(const Type& type) {
  std::string text{name_of(type.id)};
  if (text.empty()) text = "unknown type";
  if (!type.name.empty()) text += " " + type.name;
  if (type.parameters.empty() || type.id == TypeId::udt) return text;
  text += '<';
  for (std::size_t i = 0; i < type.parameters.size(); ++i) {
    if (i > 0) text += ", ";
    text += to_string(type.parameters[i]);
  }
  return text + '>';
}

std::string Uuid::to_string() const {
  std::string text = to_hex(bytes);
  for (std::size_t position : {20, 16, 12, 8}) text.insert(position, 1, '-');
  return text;
}

namespace detail {

Error wrong_type(const Type& type, std::string_view wanted) {
  return make_error(ErrorKind::invalid, "the column is of type {}, not {}", to_string(type), wanted);
}

Result<std::vector<ByteView>> split_collection(const Type& type, ByteView bytes) {
  const std::size_t values_each = type.id == TypeId::map ? 2 : 1;
  if (type.parameters.size() != values_each) return wrong_type(type, "a collection");
  std::vector<ByteView> elements;
  if (bytes.empty()) return elements;  // an "empty" value, section 6
  Reader reader{bytes};
  const std::int32_t count = reader.int_();
  // Each value has a length of four bytes, so a count that cannot be true is seen before anything is allocated.
  if (count < 0 || static_cast<std::uint64_t>(count) * values_each * 4 > reader.remaining())
    return wrong_size(type, bytes);
  elements.reserve(static_cast<std::size_t>(count) * values_each);
  for (std::size_t i = 0; i < static_cast<std::size_t>(count) * values_each && reader.good(); ++i) {
    const auto element = reader.bytes();
    if (element.is_null) return make_error(ErrorKind::corrupt, "a null in a CQL {}", to_string(type));
    elements.push_back(element.bytes);
  }
  if (!reader.good() || reader.remaining() > 0) return wrong_size(type, bytes);
  return elements;
}

}  // namespace detail

template <>
Result<std::string> decode(const Type& type, ByteView bytes) {
  if (type.id != TypeId::varchar && type.id != TypeId::ascii) return detail::wrong_type(type, "text");
  return std::string{as_text(bytes)};
}

template <>
Result<std::int32_t> decode(const Type& type, ByteView bytes) {
  if (type.id != TypeId::int_) return detail::wrong_type(type, "int");
  return decode_integer<std::int32_t>(type, bytes);
}

template <>
Result<std::int64_t> decode(const Type& type, ByteView bytes) {
  if (type.id != TypeId::bigint && type.id != TypeId::counter) return detail::wrong_type(type, "bigint");
  return decode_integer<std::int64_t>(type, bytes);
}

template <>
Result<bool> decode(const Type& type, ByteView bytes) {
  if (type.id != TypeId::boolean) return detail::wrong_type(type, "boolean");
  if (bytes.size() != 1) return wrong_size(type, bytes);
  return bytes[0] != std::byte{0};
}

template <>
Result<Uuid> decode(const Type& type, ByteView bytes) {
  if (type.id != TypeId::uuid && type.id != TypeId::timeuuid) return detail::wrong_type(type, "uuid");
  Uuid uuid;
  if (bytes.size() != uuid.bytes.size()) return wrong_size(type, bytes);
  std::ranges::copy(bytes, uuid.bytes.begin());
  return uuid;
}

template <>
Result<InetAddress> decode(const Type& type, ByteView bytes) {
  if (type.id != TypeId::inet) return detail::wrong_type(type, "inet");
  if (bytes.size() != 4 && bytes.size() != 16) return wrong_size(type, bytes);
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
  return InetAddress{text.data()};
}

template <>
Result<Timestamp> decode(const Type& type, ByteView bytes) {
  if (type.id != TypeId::timestamp) return detail::wrong_type(type, "timestamp");
  auto milliseconds = decode_integer<std::int64_t>(type, bytes);
  if (!milliseconds) return milliseconds.error();
  constexpr std::int64_t kLimit = std::numeric_limits<std::int64_t>::max() / 1000;
  if (*milliseconds > kLimit || *milliseconds < -kLimit) {
    return make_error(ErrorKind::corrupt, "a timestamp of {} ms is out of range", *milliseconds);
  }
  return Timestamp{std::chrono::milliseconds{*milliseconds}};
}

template <>
Result<Bytes> decode(const Type&, ByteView bytes) {
  return Bytes{bytes.begin(), bytes.end()};
}

}  // namespace cherax::cassandra::cql
