#pragma once

#include <fcntl.h>

#include <string>

#include "base/file.h"
#include "cassandra/cql/frame.h"

/// Frames that a real Cassandra (5.0.9; `_4_1`: 4.1.10) sent, in tests/vectors/cql.
namespace cherax::cassandra::cql {

inline Bytes recorded_frame(const std::string& name) {
  const std::string text = read_text(std::string{CHERAX_VECTORS} + "/cql/" + name + ".bin", 1 << 20);
  const ByteView bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

inline Response recorded_response(const std::string& name) {
  const Bytes frame = recorded_frame(name);
  const Header header = parse_header(ByteView{frame}.first(kHeaderSize)).value();
  return parse_response(header, ByteView{frame}.subspan(kHeaderSize)).value();
}

template <class T>
T recorded(const std::string& name) {
  return std::get<T>(recorded_response(name).message);
}

}  // namespace cherax::cassandra::cql
