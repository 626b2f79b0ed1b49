#pragma once

// For the .cc files of this room only: heavy.

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <concepts>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"

namespace cherax::snapshot {

/// One run of a prepared statement: binds in order, steps, reads columns from 0, resets at its end. Blobs are borrowed.
class Query {
 public:
  template <class... Values>
  explicit Query(SQLite::Statement& statement, const Values&... values) : statement_(statement) {
    int position = 0;
    (bind(++position, values), ...);
  }
  ~Query() { statement_.tryReset(); }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  bool row() { return statement_.executeStep(); }
  void run() { statement_.executeStep(); }

  template <std::integral Integer>
  Integer integer(int column) const {
    return static_cast<Integer>(statement_.getColumn(column).getInt64());
  }
  bool is_null(int column) const { return statement_.isColumnNull(column); }
  /// Until the next step.
  ByteView blob(int column) const {
    const auto value = statement_.getColumn(column);
    return {static_cast<const std::byte*>(value.getBlob()), static_cast<std::size_t>(value.getBytes())};
  }
  std::string text(int column) const { return std::string{as_text(blob(column))}; }
  Digest digest(int column) const { return Digest::from_bytes(blob(column)).value(); }
  std::optional<Bytes> bytes(int column) const {
    if (is_null(column)) return std::nullopt;
    const auto value = blob(column);
    return Bytes{value.begin(), value.end()};
  }

 private:
  template <std::integral Integer>
  void bind(int position, Integer value) {
    statement_.bind(position, static_cast<std::int64_t>(value));
  }
  void bind(int position, ByteView bytes) {
    // A null pointer would bind NULL instead of an empty blob.
    statement_.bindNoCopy(position, bytes.empty() ? static_cast<const void*>("") : bytes.data(),
                          static_cast<int>(bytes.size()));
  }
  void bind(int position, std::string_view path) { bind(position, as_bytes(path)); }
  void bind(int position, const Digest& digest) { bind(position, ByteView{digest.bytes}); }
  template <class Value>
  void bind(int position, const std::optional<Value>& value) {
    if (value) {
      bind(position, *value);
    } else {
      statement_.bind(position);
    }
  }
  void bind(int position, const Bytes& bytes) { bind(position, ByteView{bytes}); }

  SQLite::Statement& statement_;
};

/// Runs `work`; what SQLite throws becomes an Error that starts with `context`.
template <class Work>
decltype(auto) with_sqlite(std::string_view context, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const SQLite::Exception& error) {
    fail(ErrorKind::internal, "{}: {} (SQLite {})", context, error.what(), error.getExtendedErrorCode());
  }
}

/// An empty database for what an operation knows about files: on the disk, not in memory, and gone with the process. It
/// has no transactions to roll back. `file` is replaced, and its name removed at once.
SQLite::Database open_spool(const std::filesystem::path& file, const std::string& schema);

/// What each connection keeps in memory at most.
inline constexpr const char* kCacheSize = "PRAGMA cache_size=-4096";  // KiB

}  // namespace cherax::snapshot
