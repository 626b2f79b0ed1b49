#include "http/server.h"

#include <array>
#include <ctime>
#include <future>
#include <list>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "base/log.h"
#include "base/thread_pool.h"
#include "http/beast.h"
#include "http/response_head.h"

namespace cherax::http {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace wire = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

// A concrete executor: Asio's type-erased one costs build time in every operation.
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;
using Timer = asio::basic_waitable_timer<steady_clock, asio::wait_traits<steady_clock>, Executor>;
using Stream = beast::basic_stream<tcp, Executor, beast::unlimited_rate_policy>;
using Parser = wire::request_parser<wire::buffer_body>;

constexpr std::size_t kChunk = 128 * 1024;
constexpr std::uint64_t kSlowestBody = 16 * 1024;       // bytes per second
constexpr std::uint64_t kUnwantedBody = kBodyInMemory;  // read only to keep the connection usable
constexpr std::chrono::milliseconds kLinger{2000};
constexpr std::chrono::milliseconds kAcceptRetry{100};

class Connection;

/// What all connections of a server have in common. Without other word, only for the I/O thread.
struct Shared {
  Shared(ServerOptions server_options, Router routes)
      : options(std::move(server_options)),
        router(std::move(routes)),
        disk(std::in_place, "http-disk", 2, options.maximum_connections + 1),
        node(std::in_place, "http-node", options.node.threads, options.node.queue),
        coordinator(std::in_place, "http-coord", options.coordinator.threads, options.coordinator.queue),
        slow(std::in_place, "http-slow", options.slow.threads, options.slow.queue) {}

  ThreadPool& lane(Lane lane) {
    switch (lane) {
      case Lane::node:
        return *node;
      case Lane::coordinator:
        return *coordinator;
      case Lane::slow:
        return *slow;
    }
    fail(ErrorKind::internal, "no such lane");
  }
  void join_pools() {
    for (auto* pool : {&slow, &coordinator, &node, &disk}) pool->reset();
  }

  const ServerOptions options;
  const Router router;
  std::uint16_t port = 0;
  std::function<void()> on_close;
  bool stopping = false;
  asio::io_context context{1};  // any thread
  std::set<std::shared_ptr<Connection>> connections;
  std::stop_source handlers_stop;  // any thread
  std::optional<ThreadPool> disk;  // reads and writes body files, so that a busy disk does not hold up the I/O thread
  std::optional<ThreadPool> node;
  std::optional<ThreadPool> coordinator;
  std::optional<ThreadPool> slow;
};

/// The path as sent: decoded it may hold a line break. Never the query: it may hold a secret.
std::string_view path_for_log(const Request& request) {
  return std::string_view{request.target}.substr(0, request.target.find('?'));
}

Response internal_error(const Request& request, std::exception_ptr failure) {
  log::error("{} {}: {}", request.method, path_for_log(request), error_from(std::move(failure)).message());
  return Response::plain_text("Internal Server Error", 500);
}

Response run_handler(const Route& route, const Request& request) {
  try {
    return route.handler(request);
  } catch (...) {
    return internal_error(request, std::current_exception());
  }
}

/// One request after the other, as often as the client likes: await, read the header, read the body, dispatch,
/// respond. All members run on the I/O thread, and each starts at most one operation; its completion is the next.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Shared& shared, Socket socket)
      : shared_(shared), stream_(std::move(socket)), buffer_(shared.options.header_limit + kChunk) {}

  void await_request();
  /// Closes now, or after the answer under way.
  void stop();
  void close();
  /// Runs a completion; what it throws costs the connection, not the server.
  template <class Work>
  void guard(Work&& work);

 private:
  using Step = void (Connection::*)(error_code, std::size_t);

  /// One type for the completion of every operation, so that each operation is instantiated once.
  struct Completion {
    std::shared_ptr<Connection> connection;
    Step step;
    void operator()(error_code error, std::size_t size) const {
      connection->guard([&] { ((*connection).*step)(error, size); });
    }
  };
  Completion then(Step step) { return {shared_from_this(), step}; }

  void on_first_bytes(error_code error, std::size_t size);
  void read_header();
  void on_header(error_code error, std::size_t size);
  bool is_well_formed() const;
  void take_header();
  bool wants_continue() const;
  void on_continue_sent(error_code error, std::size_t size);
  void read_body();
  void on_body(error_code error, std::size_t size);
  void refuse_body();
  void on_read_error(error_code error);
  void dispatch();
  void respond(Response response);
  void send(std::string_view first, std::string_view second, Step step);
  void on_head_sent(error_code error, std::size_t size);
  void send_chunk();
  void on_chunk_sent(error_code error, std::size_t size);
  void finish();
  void linger(error_code error, std::size_t size);
  void log_access() const;

  /// `work` on the disk pool, then `next` here, or on_disk_failure.
  void off_thread(void (Connection::*work)(), void (Connection::*next)());
  void on_disk_failure(std::exception_ptr failure);
  void store_chunk() { spool_->write(ByteView{chunk_}.first(filled_)); }
  void load_chunk() { filled_ = source_->read(chunk_); }

  Shared& shared_;
  Stream stream_;
  beast::flat_buffer buffer_;
  bool closed_ = false;
  bool answering_ = false;  // from the dispatch to the last byte of the answer

  // The request at hand.
  std::optional<Parser> parser_;
  steady_clock::time_point started_;
  bool keep_open_ = false;
  Request request_;
  std::variant<Router::Match, Response> target_;
  std::uint64_t body_limit_ = 0;
  std::uint64_t received_ = 0;
  std::optional<BodySpool> spool_;
  Bytes chunk_;
  std::size_t filled_ = 0;

  // Its answer.
  Response response_;
  std::string head_;
  std::unique_ptr<Source> source_;
  std::uint64_t unsent_ = 0;
};

template <class Work>
void Connection::guard(Work&& work) {
  if (closed_) return;
  try {
    work();
  } catch (...) {
    log::error("connection closed: {}", error_from(std::current_exception()).message());
    close();
  }
}

void Connection::stop() {
  keep_open_ = false;
  if (!answering_) close();
}

void Connection::close() {
  if (closed_) return;
  closed_ = true;
  stream_.close();
  shared_.connections.erase(shared_from_this());
  shared_.on_close();
}

void Connection::off_thread(void (Connection::*work)(), void (Connection::*next)()) {
  // The connection moves along, so that its last owner is never a thread of the pool.
  const bool accepted = shared_.disk->try_submit([self = shared_from_this(), work, next]() mutable {
    std::exception_ptr failure;
    try {
      ((*self).*work)();
    } catch (...) {
      failure = std::current_exception();
    }
    auto& context = self->shared_.context;
    asio::post(context, [self = std::move(self), next, failure = std::move(failure)] {
      self->guard([&] { failure ? self->on_disk_failure(failure) : ((*self).*next)(); });
    });
  });
  if (!accepted) close();
}

void Connection::on_disk_failure(std::exception_ptr failure) {
  auto answer = internal_error(request_, std::move(failure));
  if (answering_) return close();  // half of the other answer is sent
  keep_open_ = false;
  respond(std::move(answer));
}

void Connection::await_request() {
  answering_ = false;
  if (shared_.stopping) return close();
  if (buffer_.size() > 0) return read_header();  // pipelined
  stream_.expires_after(shared_.options.idle_timeout);
  stream_.async_read_some(buffer_.prepare(4096), then(&Connection::on_first_bytes));
}

void Connection::on_first_bytes(error_code error, std::size_t size) {
  if (error) return close();
  buffer_.commit(size);
  read_header();
}

void Connection::read_header() {
  started_ = steady_clock::now();
  request_ = {};
  keep_open_ = false;
  parser_.emplace();
  parser_->header_limit(shared_.options.header_limit);
  parser_->body_limit(boost::none);  // on_body has its own
  stream_.expires_after(shared_.options.request_timeout);
  wire::async_read_header(stream_, buffer_, *parser_, then(&Connection::on_header));
}

void Connection::on_header(error_code error, std::size_t) {
  if (error) return on_read_error(error);
  if (!is_well_formed()) return on_read_error(wire::error::bad_field);
  take_header();
  target_ = shared_.router.find(request_);
  const bool routed = std::holds_alternative<Router::Match>(target_);
  body_limit_ = routed ? shared_.options.body_limit : kUnwantedBody;
  received_ = 0;
  spool_.emplace(shared_.options.spool_directory);

  const auto length = parser_->content_length();
  if (length && *length > body_limit_) return refuse_body();
  if (!wants_continue()) return read_body();
  if (!routed) return refuse_body();
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  send(kContinue, {}, &Connection::on_continue_sent);
}

/// What Beast lets pass and no server should: it decides where the body ends, and whom the request was for.
bool Connection::is_well_formed() const {
  const auto& head = parser_->get();
  const auto hosts = head.count(wire::field::host);
  if (hosts > 1 || (hosts == 0 && head.version() >= 11)) return false;
  const auto encodings = head.count(wire::field::transfer_encoding);
  if (encodings == 0) return true;
  return encodings == 1 && head.version() >= 11 && parser_->chunked() &&
         beast::iequals(head[wire::field::transfer_encoding], "chunked");
}

void Connection::take_header() {
  const auto& head = parser_->get();
  keep_open_ = head.keep_alive();
  request_.method = head.method_string();
  request_.set_target(head.target());
  for (const auto& field : head) request_.headers.add(field.name_string(), field.value());
  const auto* host = request_.headers.find("host");
  request_.host = host && !host->empty() ? *host : fmt::format("127.0.0.1:{}", shared_.port);
  request_.stop = shared_.handlers_stop.get_token();
}

bool Connection::wants_continue() const {
  const auto& head = parser_->get();
  return !parser_->is_done() && buffer_.size() == 0 && head.version() >= 11 &&
         beast::iequals(head[wire::field::expect], "100-continue");
}

void Connection::on_continue_sent(error_code error, std::size_t) {
  if (error) return close();
  read_body();
}

void Connection::read_body() {
  if (parser_->is_done()) return dispatch();
  chunk_.resize(kChunk);
  auto& body = parser_->get().body();
  body.data = chunk_.data();
  body.size = chunk_.size();
  stream_.expires_at(started_ + 2 * shared_.options.request_timeout + std::chrono::seconds{received_ / kSlowestBody});
  wire::async_read(stream_, buffer_, *parser_, then(&Connection::on_body));
}

void Connection::on_body(error_code error, std::size_t) {
  if (error && error != wire::error::need_buffer) return on_read_error(error);
  filled_ = chunk_.size() - parser_->get().body().size;
  received_ += filled_;
  if (received_ > body_limit_) return refuse_body();
  if (std::holds_alternative<Response>(target_)) return read_body();
  if (!spool_->stays_in_memory(filled_)) return off_thread(&Connection::store_chunk, &Connection::read_body);
  store_chunk();
  read_body();
}

/// Answers before the body is read, after which the connection cannot be used any more.
void Connection::refuse_body() {
  keep_open_ = false;
  if (auto* answer = std::get_if<Response>(&target_)) return respond(std::move(*answer));
  respond(Response::json(R"({"detail":"Content Too Large"})", 413));
}

void Connection::on_read_error(error_code error) {
  static const auto& http_category = error_code{wire::error::end_of_stream}.category();
  // The client went away, or took too long: nobody is there to read an answer.
  if (error.category() != http_category || error == wire::error::end_of_stream ||
      error == wire::error::partial_message) {
    return close();
  }
  keep_open_ = false;
  if (request_.method.empty()) request_.method = request_.target = "-";  // for the log
  if (error == wire::error::header_limit || error == wire::error::buffer_overflow) {
    return respond(Response::plain_text("Request header fields too large.", 431));
  }
  respond(Response::plain_text("Invalid HTTP request received.", 400));
}

void Connection::dispatch() {
  chunk_ = {};
  if (auto* answer = std::get_if<Response>(&target_)) return respond(std::move(*answer));
  auto& match = std::get<Router::Match>(target_);
  request_.path_parameters = std::move(match.parameters);
  request_.body = spool_->take();
  answering_ = true;
  const bool accepted =
      shared_.lane(match.route->lane).try_submit([self = shared_from_this(), route = match.route]() mutable {
        if (self->request_.stop.stop_requested()) return;
        auto response = run_handler(*route, self->request_);
        auto& context = self->shared_.context;
        asio::post(context, [self = std::move(self), response = std::move(response)]() mutable {
          self->guard([&] { self->respond(std::move(response)); });
        });
      });
  if (accepted) return;
  auto busy = Response::json(R"({"detail":"Too many requests are waiting. Try again later."})", 503);
  busy.headers.add("retry-after", "1");
  respond(std::move(busy));
}

void Connection::respond(Response response) {
  answering_ = true;
  response_ = std::move(response);
  keep_open_ = keep_open_ && !shared_.stopping;
  const bool old_client = parser_->get().version() < 11;
  const auto persistence = !keep_open_  ? Persistence::close
                           : old_client ? Persistence::keep_alive
                                        : Persistence::unsaid;
  head_ = response_head(response_, persistence, std::time(nullptr));
  unsent_ = request_.method == "HEAD" ? 0 : response_.body.size();

  std::string_view small_body;
  if (const auto text = response_.body.in_memory(); text && unsent_ <= kChunk) {
    small_body = text->substr(0, unsent_);
    unsent_ = 0;
  }
  stream_.expires_after(shared_.options.request_timeout);
  send(head_, small_body, &Connection::on_head_sent);
}

void Connection::send(std::string_view first, std::string_view second, Step step) {
  const std::array<asio::const_buffer, 2> buffers{asio::buffer(first), asio::buffer(second)};
  asio::async_write(stream_, buffers, then(step));
}

void Connection::on_head_sent(error_code error, std::size_t) {
  if (error) return close();
  if (unsent_ == 0) return finish();
  source_ = response_.body.open();
  chunk_.resize(kChunk);
  off_thread(&Connection::load_chunk, &Connection::send_chunk);
}

void Connection::send_chunk() {
  if (filled_ == 0) fail(ErrorKind::internal, "{}: the file of the answer was cut", path_for_log(request_));
  filled_ = std::min<std::uint64_t>(filled_, unsent_);
  unsent_ -= filled_;
  stream_.expires_after(shared_.options.request_timeout);
  send(as_text(ByteView{chunk_}.first(filled_)), {}, &Connection::on_chunk_sent);
}

void Connection::on_chunk_sent(error_code error, std::size_t) {
  if (error) return close();
  if (unsent_ == 0) return finish();
  off_thread(&Connection::load_chunk, &Connection::send_chunk);
}

void Connection::finish() {
  log_access();
  answering_ = false;
  source_.reset();
  response_ = {};
  request_ = {};
  chunk_ = {};
  if (keep_open_) return await_request();
  error_code ignored;
  if (parser_->is_done() && buffer_.size() == 0 && stream_.socket().available(ignored) == 0) return close();
  // Closing with bytes of the client unread resets the connection, and may take the answer with it. So wait until the
  // client closes.
  stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  chunk_.resize(kChunk);
  stream_.expires_after(kLinger);
  linger({}, 0);
}

void Connection::linger(error_code error, std::size_t) {
  if (error) return close();
  stream_.async_read_some(asio::buffer(chunk_), then(&Connection::linger));
}

void Connection::log_access() const {
  const auto level = request_.method == "GET" ? log::Level::debug : log::Level::info;
  if (!log::enabled(level)) return;
  const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - started_);
  log::write(level,
             fmt::format("{} {} {} {} ms", request_.method, path_for_log(request_), response_.status, elapsed.count()));
}

struct Listener {
  Acceptor acceptor;
  Timer retry;
  bool waits_for_room = false;
};

[[noreturn]] void fail_to_listen(const ServerOptions& options, const error_code& error) {
  const auto hint = [&]() -> std::string_view {
    if (error == asio::error::address_in_use) return "another process listens there: stop it, or choose another port";
    if (error == asio::error::access_denied) return "ports below 1024 need root or CAP_NET_BIND_SERVICE";
    if (error == boost::system::errc::address_not_available) return "no interface of this machine has this address";
    if (error.category() == asio::error::get_netdb_category())
      return "give an IP address or a name that resolves to one";
    return "choose another address or port";
  }();
  fail(error == asio::error::access_denied ? ErrorKind::denied : ErrorKind::invalid, "listening on {} port {}: {}; {}",
       options.host, options.port, error.message(), hint);
}

}  // namespace

class Server::Impl {
 public:
  Impl(ServerOptions options, Router router);
  ~Impl() { stop(); }

  std::uint16_t port() const { return shared_.port; }
  void stop();

 private:
  void listen_everywhere();
  error_code listen(const tcp::endpoint& endpoint);
  void accept(Listener& listener);
  void on_accept(Listener& listener, error_code error, Socket socket);
  void on_close();
  void begin_stop();

  Shared shared_;
  std::list<Listener> listeners_;
  std::promise<void> drained_;
  bool is_drained_ = false;
  std::mutex stop_mutex_;
  asio::executor_work_guard<Executor> work_{shared_.context.get_executor()};
  std::jthread thread_;
};

Server::Impl::Impl(ServerOptions options, Router router) : shared_(std::move(options), std::move(router)) {
  listen_everywhere();
  shared_.on_close = [this] { on_close(); };
  for (auto& listener : listeners_) accept(listener);
  thread_ = std::jthread{[this] { shared_.context.run(); }};
}

void Server::Impl::listen_everywhere() {
  const auto& options = shared_.options;
  error_code error;
  asio::ip::basic_resolver<tcp, Executor> resolver{shared_.context.get_executor()};
  const auto addresses = resolver.resolve(options.host, std::to_string(options.port), tcp::resolver::passive, error);
  if (error) fail_to_listen(options, error);
  shared_.port = options.port;
  for (const auto& address : addresses) {
    // With port 0 the first address chooses for all.
    error = listen({address.endpoint().address(), shared_.port});
    if (error) fail_to_listen(options, error);
    shared_.port = listeners_.back().acceptor.local_endpoint().port();
  }
}

error_code Server::Impl::listen(const tcp::endpoint& endpoint) {
  const auto executor = shared_.context.get_executor();
  auto& acceptor = listeners_.emplace_back(Acceptor{executor}, Timer{executor}).acceptor;
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address{true}, error);
  // "0.0.0.0" and "::" are two listeners, as for a name that has both.
  if (!error && endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only{true}, error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  return error;
}

void Server::Impl::accept(Listener& listener) {
  if (shared_.stopping) return;
  listener.waits_for_room = shared_.connections.size() >= shared_.options.maximum_connections;
  if (listener.waits_for_room) return;
  listener.acceptor.async_accept(
      [this, &listener](error_code error, Socket socket) { on_accept(listener, error, std::move(socket)); });
}

void Server::Impl::on_accept(Listener& listener, error_code error, Socket socket) {
  if (shared_.stopping) return;
  if (error) {
    log::warning("accepting a connection on port {}: {}; trying again", shared_.port, error.message());
    listener.retry.expires_after(kAcceptRetry);
    listener.retry.async_wait([this, &listener](error_code) { accept(listener); });
    return;
  }
  socket.set_option(tcp::no_delay{true}, error);
  auto connection = std::make_shared<Connection>(shared_, std::move(socket));
  shared_.connections.insert(connection);
  connection->guard([&] { connection->await_request(); });
  accept(listener);
}

void Server::Impl::on_close() {
  if (shared_.stopping && shared_.connections.empty() && !std::exchange(is_drained_, true)) drained_.set_value();
  for (auto& listener : listeners_) {
    if (listener.waits_for_room) accept(listener);
  }
}

void Server::Impl::begin_stop() {
  shared_.stopping = true;
  for (auto& listener : listeners_) {
    error_code ignored;
    listener.acceptor.close(ignored);
    listener.retry.cancel();
  }
  for (const auto& connection : std::set{shared_.connections}) connection->stop();
  on_close();
}

void Server::Impl::stop() {
  std::scoped_lock lock{stop_mutex_};
  if (!thread_.joinable()) return;
  asio::post(shared_.context, [this] { begin_stop(); });
  drained_.get_future().wait_for(shared_.options.stop_grace);
  shared_.handlers_stop.request_stop();
  shared_.context.stop();
  thread_.join();
  for (const auto& connection : std::set{shared_.connections}) connection->close();
  shared_.join_pools();
}

Server::Server(ServerOptions options, Router router)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(router))) {}
Server::~Server() = default;
std::uint16_t Server::port() const { return impl_->port(); }
void Server::stop() { impl_->stop(); }

}  // namespace cherax::http
