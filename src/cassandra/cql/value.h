#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"

/// Column types and values of the CQL native protocol v4 (Apache Cassandra, doc/native_protocol_v4.spec, sections
/// 4.2.5.2 and 6). Pure; values are untrusted bytes.
namespace cherax::cassandra::cql {

enum class TypeId : std::uint16_t {
  custom = 0x00,
  ascii = 0x01,
  bigint = 0x02,
  blob = 0x03,
  boolean = 0x04,
  counter = 0x05,
  decimal = 0x06,
  double_ = 0x07,
  float_ = 0x08,
  int_ = 0x09,
  timestamp = 0x0B,
  uuid = 0x0C,
  varchar = 0x0D,
  varint = 0x0E,
  timeuuid = 0x0F,
  inet = 0x10,
  date = 0x11,
  time = 0x12,
  smallint = 0x13,
  tinyint = 0x14,
  list = 0x20,
  map = 0x21,
  set = 0x22,
  udt = 0x30,
  tuple = 0x31,
};

/// `bigint`, `text`, …; empty for an id that protocol v4 does not have.
std::string_view name_of(TypeId id);

struct Type {
  TypeId id = TypeId::blob;
  std::string name;              ///< class of a custom type, name of a user type
  std::vector<Type> parameters;  ///< of a list, set, map, tuple or user type
};

/// For messages: `list<int>`, `user type address`.
std::string to_string(const Type& type);

struct Uuid {
  std::array<std::byte, 16> bytes{};
  /// 8-4-4-4-12 lower-case hex digits.
  std::string to_string() const;
  auto operator<=>(const Uuid&) const = default;
};

/// An IPv4 or IPv6 address in its usual text form, without a port.
struct InetAddress {
  std::string text;
  auto operator<=>(const InetAddress&) const = default;
};

/// The value in `bytes` as the C++ type that fits the column:
///   std::string       ascii, text
///   int32_t           int                int64_t    bigint, counter
///   bool              boolean            Uuid       uuid, timeuuid
///   InetAddress       inet               Timestamp  timestamp
///   Bytes             any type: its raw bytes
///   std::vector<T>    list, set          std::set<T>, std::map<K, V>   set, map
/// Another column type is Error{invalid}; bytes that do not fit it are Error{corrupt}.
template <class T>
Result<T> decode(const Type& type, ByteView bytes);

// --- how it is done -------------------------------------------------------------------------------------------------

template <>
Result<std::string> decode(const Type&, ByteView);
template <>
Result<std::int32_t> decode(const Type&, ByteView);
template <>
Result<std::int64_t> decode(const Type&, ByteView);
template <>
Result<bool> decode(const Type&, ByteView);
template <>
Result<Uuid> decode(const Type&, ByteView);
template <>
Result<InetAddress> decode(const Type&, ByteView);
template <>
Result<Timestamp> decode(const Type&, ByteView);
template <>
Result<Bytes> decode(const Type&, ByteView);

namespace detail {

Error wrong_type(const Type& type, std::string_view wanted);
/// The elements of a collection, or the keys and values of a map in turn. A null element is Error{corrupt}.
Result<std::vector<ByteView>> split_collection(const Type& type, ByteView bytes);

template <class T>
struct Collection {
  static constexpr bool is_sequence = false;
  static constexpr bool is_map = false;
};
template <class T>
struct Collection<std::vector<T>> {
  static constexpr bool is_sequence = true;
  static constexpr bool is_map = false;
  using Element = T;
};
template <class T>
struct Collection<std::set<T>> : Collection<std::vector<T>> {};
template <class K, class V>
struct Collection<std::map<K, V>> {
  static constexpr bool is_sequence = false;
  static constexpr bool is_map = true;
  using Key = K;
  using Value = V;
};

}  // namespace detail

template <class T>
Result<T> decode(const Type& type, ByteView bytes) {
  using Shape = detail::Collection<T>;
  static_assert(Shape::is_sequence || Shape::is_map, "no CQL type is read as this C++ type");
  T out;
  if constexpr (Shape::is_sequence) {
    if (type.id != TypeId::list && type.id != TypeId::set) return detail::wrong_type(type, "list or set");
    auto elements = detail::split_collection(type, bytes);
    if (!elements) return elements.error();
    for (ByteView element : *elements) {
      auto value = decode<typename Shape::Element>(type.parameters[0], element);
      if (!value) return value.error();
      out.insert(out.end(), *std::move(value));
    }
  } else {
    if (type.id != TypeId::map) return detail::wrong_type(type, "map");
    auto elements = detail::split_collection(type, bytes);
    if (!elements) return elements.error();
    for (std::size_t i = 0; i + 1 < elements->size(); i += 2) {
      auto key = decode<typename Shape::Key>(type.parameters[0], (*elements)[i]);
      if (!key) return key.error();
      auto value = decode<typename Shape::Value>(type.parameters[1], (*elements)[i + 1]);
      if (!value) return value.error();
      out.insert_or_assign(*std::move(key), *std::move(value));
    }
  }
  return out;
}

}  // namespace cherax::cassandra::cql
