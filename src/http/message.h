#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/file.h"
#include "base/stream.h"
#include "http/url.h"

namespace cherax::http {

/// A body of more bytes than this stands in a temporary file, not in memory.
inline constexpr std::size_t kBodyInMemory = 1024 * 1024;

/// The bytes of a message, in memory or in a file. A value: copies share the bytes, which never change.
class Body {
 public:
  Body() = default;
  explicit Body(std::string text);
  /// The whole of `file`, which nobody may write to any more.
  explicit Body(File file);

  std::uint64_t size() const;
  bool empty() const { return size() == 0; }
  /// The bytes from the first on. Sources are independent of each other, and live longer than the Body if need be.
  std::unique_ptr<Source> open() const;
  /// All bytes; Error{invalid} when there are more than `limit`.
  std::string text(std::size_t limit) const;
  /// The bytes themselves, when they are in memory. Valid as long as the Body.
  std::optional<std::string_view> in_memory() const;

 private:
  struct Spooled {
    File file;
    std::uint64_t size;
  };
  std::shared_ptr<const std::variant<std::string, Spooled>> content_;
};

/// Collects a body: up to `threshold` bytes in memory, more in an unnamed temporary file in `directory`.
class BodySpool final : public Sink {
 public:
  explicit BodySpool(std::filesystem::path directory, std::size_t threshold = kBodyInMemory);

  void write(ByteView bytes) override;
  void finish() override {}

  std::uint64_t size() const { return size_; }
  /// Whether writing `more` bytes touches no file.
  bool stays_in_memory(std::size_t more) const { return size_ + more <= threshold_; }
  /// What was written; the spool is empty afterwards.
  Body take();

 private:
  std::filesystem::path directory_;
  std::size_t threshold_;
  std::uint64_t size_ = 0;
  std::string memory_;
  File file_;
};

/// Header fields in the order of the message. Names compare without regard to case.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<Parameter> fields) : fields_(fields) {}

  void add(std::string name, std::string value) { fields_.push_back({std::move(name), std::move(value)}); }
  /// The value of the first field of that name, nullptr without one.
  const std::string* find(std::string_view name) const;
  std::size_t count(std::string_view name) const;

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<Parameter> fields_;
};

/// ASCII only, which is all that names in HTTP are made of.
bool equal_ignoring_case(std::string_view left, std::string_view right);

/// What a client sent.
struct Request {
  std::string method;          ///< as sent: "GET"
  std::string target;          ///< as sent: "/node/lock?locker=a%20b"
  std::string path;            ///< decoded, without the query: "/node/lock"
  Parameters query;            ///< decoded
  Parameters path_parameters;  ///< of the route's `{name}` segments
  std::string host;            ///< the Host header verbatim; "127.0.0.1:<port>" when there is none
  Headers headers;
  Body body;
  /// Requested when the server stops and does not want to wait any longer. For handlers that wait.
  std::stop_token stop;

  /// Fills target, path and query.
  void set_target(std::string_view sent);
  /// The URL of `path` as this client names this server.
  std::string url_of(std::string_view path) const { return "http://" + host + std::string{path}; }
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";  ///< no such header when empty
  Headers headers;                                ///< further ones
  Body body;

  static Response json(std::string text, int status = 200);
  static Response plain_text(std::string text, int status);
};

}  // namespace cherax::http
