#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/messages.h"
#include "http/client.h"

namespace cherax::cli {

/// Any Cherax (or Astacus) server's coordinator API as the commands use it. One thread. What is neither the expected
/// answer nor a value below is an Error that says what to do: transient when it may succeed if repeated.
class Server {
 public:
  /// `url` as the user gave it: http://localhost:5515
  explicit Server(std::string url);

  /// Not every node could be locked. An Astacus server tells only the message.
  struct Locked {
    std::string message;
    std::string reason;                    ///< of the first node that could not
    std::vector<api::LockHolder> holders;  ///< of the nodes that somebody else has locked
  };
  /// POST /<operation>; `body` is JSON, or empty.
  std::variant<api::StartResult, Locked> start(const std::string& operation, const std::string& body);
  api::OperationStatus status(const std::string& operation, std::int64_t id, std::chrono::milliseconds timeout);
  /// `storage` empty: all.
  api::ListResponse list(const std::string& storage);

 private:
  http::Response ask(const std::string& method, const std::string& path, const std::string& body,
                     std::chrono::milliseconds timeout);

  std::string url_;
  http::Client client_;
};

}  // namespace cherax::cli
