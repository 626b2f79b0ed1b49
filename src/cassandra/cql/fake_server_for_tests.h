#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "cassandra/cql/recorded_for_tests.h"

/// A CQL server of a few lines, with or without TLS, that answers what a test tells it to.
namespace cherax::cassandra::cql {

/// A key and its certificate as PEM files, signed by itself or by another.
struct Identity {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  std::filesystem::path certificate_file;
  std::filesystem::path key_file;

  Identity(const std::filesystem::path& directory, const std::string& name, const std::string& subject_alternative,
           const Identity* issuer) {
    X509_set_version(certificate, 2);
    static long serial = 1;
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer ? issuer->certificate : certificate));
    const bool is_ca = subject_alternative.empty();
    add_extension(is_ca ? NID_basic_constraints : NID_subject_alt_name,
                  is_ca ? "critical,CA:TRUE" : subject_alternative);
    X509_sign(certificate, issuer ? issuer->key : key, EVP_sha256());

    certificate_file = directory / (name + ".pem");
    key_file = directory / (name + ".key");
    FILE* file = std::fopen(certificate_file.c_str(), "w");
    PEM_write_X509(file, certificate);
    std::fclose(file);
    file = std::fopen(key_file.c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
  }
  ~Identity() {
    EVP_PKEY_free(key);
    X509_free(certificate);
  }
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

 private:
  void add_extension(int kind, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
};

/// How the fake server speaks: with or without TLS, and which certificate it asks for.
struct ServerTls {
  const Identity* identity = nullptr;
  const Identity* client_ca = nullptr;
};

/// What the server does on one connection. `receive` reads one request frame; empty at the end.
class Session {
 public:
  Session(int socket, SSL_CTX* context) : socket_(socket) {
    if (!context) return;
    ssl_ = SSL_new(context);
    SSL_set_fd(ssl_, socket_);
    is_good_ = SSL_accept(ssl_) == 1;
  }
  ~Session() {
    if (ssl_) SSL_shutdown(ssl_);
    SSL_free(ssl_);
    ::close(socket_);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  bool is_good() const { return is_good_; }

  Bytes receive() {
    Bytes frame = read(kHeaderSize);
    if (frame.size() < kHeaderSize) return {};
    const std::size_t size = std::to_integer<std::size_t>(frame[7]) << 8 | std::to_integer<std::size_t>(frame[8]);
    const Bytes body = read(size);
    frame.insert(frame.end(), body.begin(), body.end());
    return frame;
  }
  void send(ByteView bytes) {
    if (ssl_)
      SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
    else if (::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0)
      is_good_ = false;
  }
  /// A recorded answer, as if it were to the request with stream id 0.
  void answer(const std::string& name) {
    Bytes frame = recorded_frame(name);
    frame[2] = frame[3] = std::byte{0};
    send(frame);
  }
  void answer_ready() { send(from_hex("840000000200000000").value()); }

 private:
  Bytes read(std::size_t size) {
    Bytes bytes(size);
    std::size_t filled = 0;
    while (filled < size) {
      const auto count = ssl_ ? SSL_read(ssl_, bytes.data() + filled, static_cast<int>(size - filled))
                              : static_cast<int>(::recv(socket_, bytes.data() + filled, size - filled, 0));
      if (count <= 0) break;
      filled += static_cast<std::size_t>(count);
    }
    bytes.resize(filled);
    return bytes;
  }

  int socket_;
  SSL* ssl_ = nullptr;
  bool is_good_ = true;
};

/// Serves one connection after another on loopback.
class FakeServer {
 public:
  explicit FakeServer(std::function<void(Session&)> serve, ServerTls tls = {}, int family = AF_INET)
      : serve_(std::move(serve)), listener_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (tls.identity) {
      context_ = SSL_CTX_new(TLS_server_method());
      SSL_CTX_use_certificate(context_, tls.identity->certificate);
      SSL_CTX_use_PrivateKey(context_, tls.identity->key);
    }
    if (tls.client_ca) {
      SSL_CTX_load_verify_file(context_, tls.client_ca->certificate_file.c_str());
      SSL_CTX_set_verify(context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    ::sockaddr_in6 address{};
    ::socklen_t size = sizeof address;
    auto* four = reinterpret_cast<::sockaddr_in*>(&address);
    if (family == AF_INET6) {
      address.sin6_family = AF_INET6;
      address.sin6_addr = in6addr_loopback;
    } else {
      four->sin_family = AF_INET;
      four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      size = sizeof *four;
    }
    EXPECT_EQ(::bind(listener_, reinterpret_cast<::sockaddr*>(&address), size), 0);
    ::listen(listener_, 8);
    ::getsockname(listener_, reinterpret_cast<::sockaddr*>(&address), &size);
    port_ = ntohs(family == AF_INET6 ? address.sin6_port : four->sin_port);
    thread_ = std::jthread{[this] { run(); }};
  }
  ~FakeServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
    SSL_CTX_free(context_);
  }
  std::uint16_t port() const { return port_; }
  int accepted() const { return accepted_; }

 private:
  void run() {
    for (;;) {
      const int socket = ::accept(listener_, nullptr, nullptr);
      if (socket < 0) return;
      ++accepted_;
      Session session{socket, context_};
      if (session.is_good()) serve_(session);
    }
  }

  std::function<void(Session&)> serve_;
  int listener_;
  SSL_CTX* context_ = nullptr;
  std::uint16_t port_ = 0;
  std::atomic<int> accepted_ = 0;
  std::jthread thread_;
};

}  // namespace cherax::cassandra::cql
