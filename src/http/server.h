#pragma once

#include <cstdint>
#include <memory>

#include "http/options.h"
#include "http/router.h"

namespace cherax::http {

/// An HTTP/1.1 server. One thread reads and writes all connections; a whole request is handed to its route's lane, a
/// pool of threads, so that neither a slow client nor a slow handler delays others. Request bodies above kBodyInMemory
/// are spooled, bodies from files are streamed. Every answer has a content-length; none is chunked.
class Server {
 public:
  /// Listens and serves from here on. Error{denied or invalid} when the address cannot be had.
  Server(ServerOptions options, Router router);
  /// Stops.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;

  /// Accepts nothing any more, and gives handlers and answers under way `stop_grace` to end; then requests
  /// Request::stop, closes every connection, and waits until each running handler has returned. Requests still queued
  /// then are dropped. Any thread but a handler's; a second call waits for the first.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cherax::http
