#include "app/server.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "app/config.h"
#include "coordinator/coordinator.h"
#include "http/client.h"
#include "http/server.h"
#include "node/node.h"

namespace cherax::app {

namespace {

/// Blocks the signals that end the server in every thread, and waits for one of them.
class EndSignals {
 public:
  EndSignals() {
    ::sigemptyset(&signals_);
    ::sigaddset(&signals_, SIGTERM);
    ::sigaddset(&signals_, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
  }
  void wait() const {
    int number = 0;
    ::sigwait(&signals_, &number);
    log::info("signal {}: ending", number);
  }

 private:
  ::sigset_t signals_{};
};

/// systemd's protocol, as sd_notify(3) describes it.
void notify_ready() {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (!path || (path[0] != '/' && path[0] != '@')) return;
  ::sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string_view name{path};
  if (name.size() >= sizeof address.sun_path) return;
  std::ranges::copy(name, address.sun_path);
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return;
  constexpr std::string_view kReady = "READY=1";
  const auto length = static_cast<::socklen_t>(offsetof(::sockaddr_un, sun_path) + name.size());
  ::sendto(socket, kReady.data(), kReady.size(), MSG_NOSIGNAL, reinterpret_cast<const ::sockaddr*>(&address), length);
  ::close(socket);
}

bool is_loopback(const std::string& host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

void warn_if_open(const UvicornSection& listen) {
  if (is_loopback(listen.host)) return;
  log::warning(
      "listening on {}:{}, beyond loopback, without authentication: whoever reaches it can read, overwrite and delete "
      "backups and nodes",
      listen.host, listen.port);
}

http::ServerOptions server_options(const Config& config) {
  http::ServerOptions options;
  options.host = config.listen.host;
  options.port = config.listen.port;
  options.spool_directory = config.node->temporary_directory;
  return options;
}

http::ClientOptions client_options(const Config& config) {
  if (!config.coordinator) return {.spool_directory = config.node->temporary_directory, .maximum_transfers = 16};
  return {.spool_directory = config.coordinator->temporary_directory, .maximum_transfers = config.coordinator->fan_out};
}

}  // namespace

int run_server(const std::filesystem::path& path) {
  Config config = load_config(path);
  warn_if_open(config.listen);  // whatever log_level says
  log::set_level(config.log_level);
  const EndSignals end;
  const http::ServerOptions options = server_options(config);
  http::Client client{client_options(config)};

  http::Router router;
  node::Node node{*config.node, *config.node_storages, client, system_clock(), std::move(config.extensions)};
  node.add_routes(router);
  std::unique_ptr<coordinator::Coordinator> coordinator;
  if (config.coordinator) {
    coordinator = std::make_unique<coordinator::Coordinator>(*config.coordinator, std::move(config.plugin),
                                                             *config.coordinator_storages, client, system_clock());
    coordinator->add_routes(router);
  }
  http::Server server{options, std::move(router)};
  log::info("serving on {}:{}", options.host, server.port());
  notify_ready();
  {
    std::jthread leftovers;  // a node that does not answer must not delay the service
    if (coordinator)
      leftovers = std::jthread{[&](std::stop_token stop) { coordinator->keep_releasing_leftover_locks(stop); }};
    end.wait();
  }
  // The nodes are unlocked over HTTP, also this one: operations end before the server does.
  if (coordinator) coordinator->stop();
  server.stop();
  return 0;
}

}  // namespace cherax::app
