#include <gtest/gtest.h>
#include <unistd.h>

#include <barrier>
#include <latch>
#include <semaphore>

#include "base/error.h"
#include "http/raw_socket_for_tests.h"
#include "http/server.h"

// Time-outs, lanes, connections and stopping.
namespace cherax::http {
namespace {

using test::RawSocket;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr std::string_view kGet = "GET /node HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kGetSlow = "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n";

ServerOptions quick_options() { return {.port = 0, .spool_directory = std::filesystem::temp_directory_path()}; }

Response fine(const Request&) { return Response::json("{}"); }

Router node_route(Handler handler = fine) {
  Router router;
  router.add({"GET", "/node", Lane::node, std::move(handler)});
  return router;
}

/// A handler that reports when it runs, and ends when it may.
struct Gate {
  std::counting_semaphore<1000> entered{0};
  std::counting_semaphore<1000> open{0};

  Handler handler() {
    return [this](const Request&) {
      entered.release();
      open.acquire();
      return Response::json("{}");
    };
  }
};

/// Sends a byte every 10 ms until the other side closes; returns how long that took.
steady_clock::duration drip(RawSocket& socket) {
  const auto start = steady_clock::now();
  while (!socket.readable_within(10ms) && socket.send("x") && steady_clock::now() - start < test::kPatience) {
  }
  return steady_clock::now() - start;
}

TEST(ServerTimeouts, ClosesAnIdleConnection) {
  auto options = quick_options();
  options.idle_timeout = 100ms;
  Server server{options, node_route()};

  auto fresh = RawSocket::connect(server.port());
  auto used = RawSocket::connect(server.port());
  used.send(kGet);
  EXPECT_EQ(used.read_answer().status, 200);
  EXPECT_EQ(fresh.read_all(), "");
  EXPECT_EQ(used.read_all(), "");
}

TEST(ServerTimeouts, ClosesWhenTheHeaderComesTooSlowly) {
  auto options = quick_options();
  options.request_timeout = 200ms;
  Server server{options, node_route()};
  auto socket = RawSocket::connect(server.port());
  socket.send("GET /node HTTP/1.1\r\nX: ");
  const auto time = drip(socket);
  EXPECT_GE(time, 150ms);
  EXPECT_LT(time, 10s);
}

TEST(ServerTimeouts, ClosesWhenTheBodyComesTooSlowly) {
  auto options = quick_options();
  options.request_timeout = 200ms;
  Server server{options, node_route()};
  auto socket = RawSocket::connect(server.port());
  socket.send("GET /node HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  const auto time = drip(socket);
  EXPECT_GE(time, 300ms);
  EXPECT_LT(time, 10s);
}

TEST(ServerTimeouts, DoesNotLimitTheHandler) {
  auto options = quick_options();
  options.request_timeout = 20ms;
  options.idle_timeout = 20ms;
  Gate gate;
  Server server{options, node_route(gate.handler())};
  auto socket = RawSocket::connect(server.port());
  socket.send(kGet);
  gate.entered.acquire();
  EXPECT_FALSE(socket.readable_within(100ms));
  gate.open.release();
  EXPECT_EQ(socket.read_answer().status, 200);
}

TEST(ServerTimeouts, DropsAClientThatDoesNotTakeItsAnswer) {
  auto options = quick_options();
  options.request_timeout = 100ms;
  options.stop_grace = test::kPatience;
  Server server{options, node_route([](const Request&) {
                  auto file = File::temporary(std::filesystem::temp_directory_path());
                  if (::ftruncate(file.descriptor(), 64 * 1024 * 1024) != 0) fail_errno(errno, "ftruncate");
                  return Response{.body = Body{std::move(file)}};
                })};
  auto socket = RawSocket::connect(server.port());
  socket.send(kGet);
  EXPECT_TRUE(socket.readable_within(test::kPatience));
  const auto start = steady_clock::now();
  server.stop();  // waits for the answer under way, which ends by its time-out
  EXPECT_LT(steady_clock::now() - start, 10s);
  EXPECT_LT(socket.read_all().size(), 64u * 1024 * 1024);
}

TEST(ServerLanes, RunHandlersInParallel) {
  constexpr int kThreads = 16;
  auto options = quick_options();
  options.node.threads = kThreads;
  std::barrier together{kThreads};
  Server server{options, node_route([&](const Request& request) {
                  together.arrive_and_wait();
                  return fine(request);
                })};
  std::vector<RawSocket> sockets;
  for (int i = 0; i < kThreads; ++i) sockets.push_back(RawSocket::connect(server.port()));
  for (auto& socket : sockets) socket.send(kGet);
  for (auto& socket : sockets) EXPECT_EQ(socket.read_answer().status, 200);
}

TEST(ServerLanes, RefuseWhatTheirQueueCannotHoldAndDelayNobodyElse) {
  auto options = quick_options();
  options.slow = {.threads = 1, .queue = 1};
  Gate gate;
  auto router = node_route();
  router.add({"GET", "/slow", Lane::slow, gate.handler()});
  Server server{options, std::move(router)};

  auto running = RawSocket::connect(server.port());
  running.send(kGetSlow);
  gate.entered.acquire();
  auto second = RawSocket::connect(server.port());
  auto third = RawSocket::connect(server.port());
  second.send(kGetSlow);
  third.send(kGetSlow);
  while (!second.readable_within(1ms) && !third.readable_within(1ms)) {
  }
  auto& refused = second.readable_within(0ms) ? second : third;
  auto& queued = &refused == &second ? third : second;
  const auto answer = refused.read_answer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.header("retry-after"), "1");

  for (int i = 0; i < 20; ++i) {
    refused.send(kGet);
    EXPECT_EQ(refused.read_answer().status, 200);
  }
  EXPECT_FALSE(queued.readable_within(0ms));
  gate.open.release(2);
  EXPECT_EQ(running.read_answer().status, 200);
  EXPECT_EQ(queued.read_answer().status, 200);
}

TEST(ServerConnections, WaitWhenThereAreTooMany) {
  auto options = quick_options();
  options.maximum_connections = 2;
  Server server{options, node_route()};
  std::vector<RawSocket> sockets;
  for (int i = 0; i < 2; ++i) {
    sockets.push_back(RawSocket::connect(server.port()));
    sockets.back().send(kGet);
    EXPECT_EQ(sockets.back().read_answer().status, 200);
  }
  auto third = RawSocket::connect(server.port());
  third.send(kGet);
  EXPECT_FALSE(third.readable_within(100ms));
  sockets.pop_back();
  EXPECT_EQ(third.read_answer().status, 200);
}

TEST(ServerStop, LetsRunningHandlersFinishAndAcceptsNoMore) {
  auto options = quick_options();
  options.stop_grace = test::kPatience;
  Gate gate;
  Server server{options, node_route(gate.handler())};
  auto idle = RawSocket::connect(server.port());
  auto busy = RawSocket::connect(server.port());
  busy.send(kGet);
  gate.entered.acquire();

  std::jthread stopper{[&] { server.stop(); }};
  EXPECT_EQ(idle.read_all(), "");  // closed at once
  EXPECT_FALSE(RawSocket::try_connect(server.port()).has_value());
  gate.open.release();
  const auto answer = busy.read_answer();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("connection"), "close");
}

TEST(ServerStop, TellsHandlersWhenTheGraceIsOver) {
  auto options = quick_options();
  options.stop_grace = 20ms;
  options.node = {.threads = 1, .queue = 10};
  std::binary_semaphore entered{0};
  std::atomic<int> calls{0};
  Server server{options, node_route([&](const Request& request) {
                  ++calls;
                  std::latch stopped{1};
                  std::stop_callback on_stop{request.stop, [&] { stopped.count_down(); }};
                  entered.release();
                  stopped.wait();
                  return fine(request);
                })};
  auto running = RawSocket::connect(server.port());
  running.send(kGet);
  entered.acquire();
  auto queued = RawSocket::connect(server.port());
  queued.send(kGet);
  server.stop();
  server.stop();
  EXPECT_EQ(running.read_all(), "");
  EXPECT_EQ(queued.read_all(), "");
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace cherax::http
