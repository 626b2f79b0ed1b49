#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace cherax::http {

struct LaneOptions {
  std::size_t threads;
  std::size_t queue;  ///< requests that wait for a thread; one more is answered with 503
};

struct ServerOptions {
  std::string host = "127.0.0.1";  ///< an address or a name; all its addresses are listened on
  std::uint16_t port = 5515;       ///< 0: any free one
  std::filesystem::path spool_directory;
  std::uint64_t body_limit = 1024 * 1024 * 1024;  ///< bytes of a request's body; more is answered with 413
  std::uint32_t header_limit = 64 * 1024;         ///< bytes of a request's line and headers; more is answered with 431
  std::size_t maximum_connections = 512;          ///< further ones wait in the kernel's queue
  std::chrono::milliseconds idle_timeout = std::chrono::seconds{5};
  /// For a request's headers, from their first byte on. A body may take as long again and one second per 16 KiB that
  /// came. The client has to take each 128 KiB of the answer within it.
  std::chrono::milliseconds request_timeout = std::chrono::seconds{30};
  /// How long stop() waits for handlers and for answers under way.
  std::chrono::milliseconds stop_grace = std::chrono::seconds{5};
  LaneOptions node{.threads = 8, .queue = 512};
  LaneOptions coordinator{.threads = 8, .queue = 512};
  LaneOptions slow{.threads = 4, .queue = 64};
};

struct ClientOptions {
  std::filesystem::path spool_directory;  ///< for answers above kBodyInMemory
  std::size_t maximum_transfers = 64;     ///< at a time; further ones wait
  std::size_t maximum_per_host = 16;      ///< of these, to one host and port
};

}  // namespace cherax::http
