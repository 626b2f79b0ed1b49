#pragma once

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "http/message.h"
#include "http/options.h"

namespace cherax::http {

struct ClientRequest {
  std::string method = "GET";
  std::string url;  ///< http or https
  /// Nothing is added but Host and Content-Length. Astacus' servers take a body without Content-Type as JSON.
  Headers headers;
  Body body;
  std::chrono::milliseconds connect_timeout = std::chrono::seconds{10};
  Deadline deadline = Deadline::in(std::chrono::seconds{10});  ///< of everything, waiting for a free transfer included
  std::uint64_t response_limit = 1024 * 1024 * 1024;           ///< bytes of the answer's body
  enum class Redirects { refuse, follow_one } redirects = Redirects::refuse;
  std::stop_token stop;
};

/// Sends HTTP requests, many at a time, on one thread of its own. Connections are kept for further requests, never
/// through a proxy. All members may be called from any thread.
///
/// An answer with any status is a Response. Error{transient}: no connection, connection lost, too late.
/// Error{cancelled}: the request's stop token, or the end of the Client. Error{corrupt}: the answer is no HTTP.
/// Error{denied}: TLS does not trust the other side. Error{throttled}: too many requests wait already. Error{invalid}:
/// the request cannot be right, or the answer is too long. The message names method and URL, without what may be
/// secret.
class Client {
 public:
  explicit Client(ClientOptions options);
  /// Cancels what runs and waits for its end.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Returns at once; get() waits for the answer, or throws. (wait_for() does not tell when it is there: the future is
  /// a deferred one.) Dropping the future does not cancel the request.
  std::future<Response> send(ClientRequest request);
  Response perform(ClientRequest request) { return send(std::move(request)).get(); }

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cherax::http
