#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "base/error.h"

// Sockets for the tests of this room: to send what no well-behaved client or server would.
namespace cherax::http::test {

using std::chrono::milliseconds;

inline constexpr milliseconds kPatience{30'000};

struct Answer {
  int status = 0;
  std::string head;  ///< with the empty line
  std::string body;

  std::string header(std::string_view lower_case_name) const {
    const auto start = head.find(fmt::format("\r\n{}: ", lower_case_name));
    if (start == std::string::npos) return "";
    const auto value = start + 4 + lower_case_name.size();
    return head.substr(value, head.find("\r\n", value) - value);
  }
};

/// One end of a TCP connection on loopback. What takes longer than kPatience fails with an Error.
class RawSocket {
 public:
  explicit RawSocket(int descriptor) : descriptor_(descriptor) {}
  /// A connection to `port`; with a small receive window, so that the other side cannot send much unread.
  static std::optional<RawSocket> try_connect(std::uint16_t port) {
    RawSocket socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const int window = 64 * 1024;
    ::setsockopt(socket.descriptor_, SOL_SOCKET, SO_RCVBUF, &window, sizeof window);
    ::sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (::connect(socket.descriptor_, reinterpret_cast<const ::sockaddr*>(&address), sizeof address) == 0)
      return socket;
    return std::nullopt;
  }
  static RawSocket connect(std::uint16_t port) {
    auto socket = try_connect(port);
    if (!socket) fail_errno(errno, "connecting");
    return *std::move(socket);
  }
  ~RawSocket() { close(); }
  RawSocket(RawSocket&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), buffer_(std::move(other.buffer_)) {}

  void close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }
  /// Closes with a reset instead of an orderly end.
  void reset() {
    const ::linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void shut_down_sending() { ::shutdown(descriptor_, SHUT_WR); }

  /// False when the other side has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto size = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size < 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
  }

  /// Whether there are bytes to read, or the end.
  bool readable_within(milliseconds time) const {
    ::pollfd poll{.fd = descriptor_, .events = POLLIN};
    return !buffer_.empty() || ::poll(&poll, 1, static_cast<int>(time.count())) > 0;
  }
  /// Up to and with `end`; less when the other side closes.
  std::string read_until(std::string_view end) {
    while (buffer_.find(end) == std::string::npos && fill()) {
    }
    const auto found = buffer_.find(end);
    return take(found == std::string::npos ? buffer_.size() : found + end.size());
  }
  std::string read_exactly(std::size_t size) {
    while (buffer_.size() < size && fill()) {
    }
    return take(std::min(size, buffer_.size()));
  }
  std::string read_all() { return read_exactly(std::string::npos); }

  Answer read_answer(bool has_body = true) {
    Answer answer{.head = read_until("\r\n\r\n")};
    if (answer.head.size() > 12) answer.status = std::stoi(answer.head.substr(9, 3));
    if (const auto length = answer.header("content-length"); has_body && !length.empty()) {
      answer.body = read_exactly(std::stoul(length));
    }
    return answer;
  }

 private:
  bool fill() {
    if (!readable_within_poll()) fail(ErrorKind::internal, "nothing came for too long; so far: {}", buffer_);
    std::array<char, 64 * 1024> bytes;
    const auto size = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
    if (size <= 0) return false;
    buffer_.append(bytes.data(), static_cast<std::size_t>(size));
    return true;
  }
  bool readable_within_poll() const {
    ::pollfd poll{.fd = descriptor_, .events = POLLIN};
    return ::poll(&poll, 1, static_cast<int>(kPatience.count())) > 0;
  }
  std::string take(std::size_t size) {
    auto taken = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return taken;
  }

  int descriptor_;
  std::string buffer_;
};

/// Accepts connections on a loopback port and gives them to `serve`, one after the other, on one thread.
class RawServer {
 public:
  explicit RawServer(std::function<void(RawSocket)> serve)
      : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    ::sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    ::socklen_t size = sizeof address;
    if (::bind(descriptor_, reinterpret_cast<const ::sockaddr*>(&address), size) != 0) fail_errno(errno, "bind");
    if (::listen(descriptor_, 128) != 0) fail_errno(errno, "listen");
    ::getsockname(descriptor_, reinterpret_cast<::sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread{[this, serve = std::move(serve)] {
      for (;;) {
        const int accepted = ::accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC);
        if (accepted < 0) return;
        serve(RawSocket{accepted});
      }
    }};
  }
  ~RawServer() {
    ::shutdown(descriptor_, SHUT_RDWR);  // wakes accept
    thread_.join();
    ::close(descriptor_);
  }

  std::uint16_t port() const { return port_; }
  std::string url(std::string_view path) const { return fmt::format("http://127.0.0.1:{}{}", port_, path); }

 private:
  int descriptor_;
  std::uint16_t port_ = 0;
  std::jthread thread_;
};

}  // namespace cherax::http::test
