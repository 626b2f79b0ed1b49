#include "cassandra/cql/channel.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/resolve.h"

namespace cherax::cassandra::cql {

namespace {

/// So that an address that swallows packets leaves time for the next one.
constexpr std::chrono::seconds kConnectTimeout{10};

std::string words_of(int error_number) { return std::generic_category().message(error_number); }

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

void wait_for(int descriptor, short events, Deadline deadline, std::string_view what) {
  ::pollfd entry{descriptor, events, 0};
  for (;;) {
    const auto left = deadline.remaining().count();
    const int ready = ::poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
    if (ready > 0) return;
    if (ready < 0 && errno != EINTR) fail_errno(errno, "poll of a socket");
    if (deadline.passed()) fail(ErrorKind::transient, "time out while {}", what);
  }
}

/// nullopt when connected, else why not.
std::optional<std::string> try_connect(int descriptor, const ::addrinfo& address, Deadline deadline) {
  if (::connect(descriptor, address.ai_addr, address.ai_addrlen) == 0) return std::nullopt;
  if (errno != EINPROGRESS) return words_of(errno);
  ::pollfd entry{descriptor, POLLOUT, 0};
  while (::poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(deadline.remaining().count(), 60'000))) <= 0) {
    if (deadline.passed()) return "time out";
  }
  int error = 0;
  ::socklen_t size = sizeof error;
  ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
  return error == 0 ? std::nullopt : std::optional{words_of(error)};
}

Descriptor connect_to(const std::string& host, std::uint16_t port, Deadline deadline) {
  const Addresses addresses = resolve(host, port);
  std::string failures;
  for (const ::addrinfo* address = addresses.get(); address; address = address->ai_next) {
    Descriptor descriptor{::socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    const Deadline one = Deadline::at(std::min(deadline.time(), Deadline::in(kConnectTimeout).time()));
    const auto why_not = descriptor.number() < 0 ? words_of(errno) : try_connect(descriptor.number(), *address, one);
    if (!why_not) {
      const int on = 1;
      ::setsockopt(descriptor.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      return descriptor;
    }
    failures += fmt::format("{}{}: {}", failures.empty() ? "" : ", ", to_string(*address), *why_not);
  }
  fail(ErrorKind::transient, "connecting failed ({})", failures);
}

struct FreeSsl {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

std::string openssl_words() {
  std::array<char, 256> text{};
  const unsigned long code = ERR_get_error();
  ERR_error_string_n(code, text.data(), text.size());
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason ? reason : text.data();
}

void require_ssl(bool good, std::string_view what) {
  if (!good) fail(ErrorKind::invalid, "{}: {}", what, openssl_words());
}

bool is_address(const std::string& host) {
  std::array<unsigned char, 16> binary{};
  return ::inet_pton(AF_INET, host.c_str(), binary.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), binary.data()) == 1;
}

std::unique_ptr<SSL_CTX, FreeSsl> make_context(const TlsOptions& options) {
  ERR_clear_error();
  std::unique_ptr<SSL_CTX, FreeSsl> context{SSL_CTX_new(TLS_client_method())};
  require_ssl(context != nullptr, "creating a TLS context");
  require_ssl(SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1, "requiring TLS 1.2");
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  require_ssl(SSL_CTX_load_verify_file(context.get(), options.ca_cert_path.c_str()) == 1,
              fmt::format("reading the CA certificates of ca_cert_path {}", options.ca_cert_path));
  if (options.client_cert_path) {
    require_ssl(SSL_CTX_use_certificate_chain_file(context.get(), options.client_cert_path->c_str()) == 1,
                fmt::format("reading the certificate of client_cert_path {}", *options.client_cert_path));
    const std::string& key = options.client_key_path ? *options.client_key_path : *options.client_cert_path;
    require_ssl(SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) == 1,
                fmt::format("reading the client's private key {}", key));
  }
  return context;
}

}  // namespace

/// Bytes over a non-blocking socket.
class Channel::Tcp {
 public:
  Tcp(const std::string& host, std::uint16_t port, Deadline deadline) : socket_(connect_to(host, port, deadline)) {}

  void send(ByteView bytes, Deadline deadline) {
    while (!bytes.empty()) {
      const auto size = ::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size >= 0)
        bytes = bytes.subspan(static_cast<std::size_t>(size));
      else if (errno == EAGAIN)
        wait_for(socket_.number(), POLLOUT, deadline, "sending");
      else if (errno != EINTR)
        fail(ErrorKind::transient, "sending failed: {}", words_of(errno));
    }
  }

  /// At least one byte.
  std::size_t receive_some(MutableByteView buffer, Deadline deadline) {
    for (;;) {
      const auto size = ::recv(socket_.number(), buffer.data(), buffer.size(), 0);
      if (size > 0) return static_cast<std::size_t>(size);
      if (size == 0) fail(ErrorKind::transient, "the server closed the connection");
      if (errno == EAGAIN)
        wait_for(socket_.number(), POLLIN, deadline, "waiting for the answer");
      else if (errno != EINTR)
        fail(ErrorKind::transient, "receiving failed: {}", words_of(errno));
    }
  }

  /// What is there without waiting; 0 for nothing.
  std::size_t receive_available(MutableByteView buffer) {
    const auto size = ::recv(socket_.number(), buffer.data(), buffer.size(), 0);
    return size > 0 ? static_cast<std::size_t>(size) : 0;
  }

 private:
  Descriptor socket_;
};

/// TLS between two memory buffers, moved to and from Tcp: OpenSSL itself never touches the socket (and its SIGPIPE).
class Channel::Tls {
 public:
  Tls(Tcp& tcp, const std::string& host, const TlsOptions& options, Deadline deadline)
      : tcp_(tcp), context_(make_context(options)), ssl_(SSL_new(context_.get())) {
    require_ssl(ssl_ != nullptr, "creating a TLS session");
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    const std::string& name = options.server_name.value_or(host);
    if (is_address(name)) {
      require_ssl(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), name.c_str()) == 1,
                  "setting the address to verify");
    } else {
      require_ssl(SSL_set1_host(ssl_.get(), name.c_str()) == 1, "setting the host name to verify");
      require_ssl(SSL_set_tlsext_host_name(ssl_.get(), name.c_str()) == 1, "setting the host name to ask for");
    }
    run([&] { return SSL_connect(ssl_.get()); }, deadline, "the TLS handshake");
  }

  void send(ByteView bytes, Deadline deadline) {
    while (!bytes.empty()) {
      std::size_t size = 0;
      run([&] { return SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &size); }, deadline, "sending over TLS");
      bytes = bytes.subspan(size);
    }
  }

  std::size_t receive_some(MutableByteView buffer, Deadline deadline) {
    std::size_t size = 0;
    run([&] { return SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &size); }, deadline, "receiving over TLS");
    return size;
  }

 private:
  template <class Operation>
  void run(Operation operation, Deadline deadline, std::string_view what) {
    for (;;) {
      ERR_clear_error();
      const int result = operation();
      const int error = SSL_get_error(ssl_.get(), result);
      if (error != SSL_ERROR_SSL) flush(deadline);
      if (result > 0) return;
      if (error == SSL_ERROR_WANT_READ)
        refill(deadline);
      else if (error != SSL_ERROR_WANT_WRITE)
        refuse(error, what, deadline);
    }
  }

  void flush(Deadline deadline) {
    std::array<std::byte, 16 * 1024> buffer;
    for (;;) {
      const int size = BIO_read(SSL_get_wbio(ssl_.get()), buffer.data(), static_cast<int>(buffer.size()));
      if (size <= 0) return;
      try {
        tcp_.send(MutableByteView{buffer}.first(static_cast<std::size_t>(size)), deadline);
      } catch (const Error&) {
        fail_with_alert(deadline);
        throw;
      }
    }
  }

  /// A server that refuses the client's certificate says so and hangs up, perhaps while we still send (TLS 1.3): what
  /// it said is worth more than "broken pipe".
  void fail_with_alert(Deadline deadline) {
    std::array<std::byte, 16 * 1024> buffer;
    const std::size_t size = tcp_.receive_available(buffer);
    BIO_write(SSL_get_rbio(ssl_.get()), buffer.data(), static_cast<int>(size));
    ERR_clear_error();
    std::size_t peeked = 0;
    const int error = SSL_get_error(ssl_.get(), SSL_peek_ex(ssl_.get(), buffer.data(), 1, &peeked));
    if (error == SSL_ERROR_SSL) refuse(error, "sending over TLS", deadline);
  }

  void refill(Deadline deadline) {
    std::array<std::byte, 16 * 1024> buffer;
    const std::size_t size = tcp_.receive_some(buffer, deadline);
    BIO_write(SSL_get_rbio(ssl_.get()), buffer.data(), static_cast<int>(size));
  }

  [[noreturn]] void refuse(int error, std::string_view what, Deadline deadline) {
    if (error == SSL_ERROR_ZERO_RETURN) fail(ErrorKind::transient, "the server closed the TLS session");
    const long verified = SSL_get_verify_result(ssl_.get());
    if (verified != X509_V_OK) {
      const std::string words = X509_verify_cert_error_string(verified);
      try {
        flush(deadline);  // so that the server learns why
      } catch (const Error&) {
      }
      fail(ErrorKind::denied, "{}: the server's certificate is refused: {} (see ca_cert_path and tls_server_name)",
           what, words);
    }
    // Reasons from SSL_AD_REASON_OFFSET on are alerts of the server: it refused us.
    const bool refused_by_server = ERR_GET_REASON(ERR_peek_error()) >= SSL_AD_REASON_OFFSET;
    fail(refused_by_server ? ErrorKind::denied : ErrorKind::invalid, "{}: {}", what, openssl_words());
  }

  Tcp& tcp_;
  std::unique_ptr<SSL_CTX, FreeSsl> context_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
};

Channel::Channel(const std::string& host, std::uint16_t port, const std::optional<TlsOptions>& tls, Deadline deadline)
    : tcp_(std::make_unique<Tcp>(host, port, deadline)),
      tls_(tls ? std::make_unique<Tls>(*tcp_, host, *tls, deadline) : nullptr) {}
Channel::~Channel() = default;
Channel::Channel(Channel&&) noexcept = default;
Channel& Channel::operator=(Channel&&) noexcept = default;

void Channel::send(ByteView bytes, Deadline deadline) {
  if (tls_)
    tls_->send(bytes, deadline);
  else
    tcp_->send(bytes, deadline);
}

void Channel::receive(MutableByteView buffer, Deadline deadline) {
  while (!buffer.empty()) {
    buffer = buffer.subspan(tls_ ? tls_->receive_some(buffer, deadline) : tcp_->receive_some(buffer, deadline));
  }
}

}  // namespace cherax::cassandra::cql
