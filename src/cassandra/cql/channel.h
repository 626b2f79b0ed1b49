#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"

namespace cherax::cassandra::cql {

struct TlsOptions {
  std::string ca_cert_path;                     ///< PEM; the server's chain has to end in one of these
  std::optional<std::string> client_cert_path;  ///< PEM chain
  std::optional<std::string> client_key_path;   ///< PEM; none: in client_cert_path
  std::optional<std::string> server_name;       ///< the name the certificate must have; none: the host
};

/// A TCP connection, plain or with TLS 1.2 or later, whose every call ends by its deadline: Error{transient} when that
/// passed or the other side is gone, Error{denied} when a certificate was refused by either side, Error{invalid} for
/// TLS that cannot work. A channel that threw is not used again. One thread at a time. Only the resolving of a host
/// name is not bounded by the deadline but by resolv.conf.
class Channel {
 public:
  /// Tries every address of `host`, IPv4 and IPv6.
  Channel(const std::string& host, std::uint16_t port, const std::optional<TlsOptions>& tls, Deadline deadline);
  ~Channel();
  Channel(Channel&&) noexcept;
  Channel& operator=(Channel&&) noexcept;

  void send(ByteView bytes, Deadline deadline);
  /// Fills all of `buffer`.
  void receive(MutableByteView buffer, Deadline deadline);

 private:
  class Tcp;
  class Tls;
  std::unique_ptr<Tcp> tcp_;
  std::unique_ptr<Tls> tls_;
};

}  // namespace cherax::cassandra::cql
