#include "http/client.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <semaphore>
#include <vector>

#include "base/error.h"
#include "http/raw_socket_for_tests.h"
#include "http/server.h"

namespace cherax::http {
namespace {

using test::RawServer;
using test::RawSocket;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

ClientOptions client_options() { return {.spool_directory = std::filesystem::temp_directory_path()}; }

Error error_of(std::future<Response> future) {
  try {
    const auto response = future.get();
    ADD_FAILURE() << "no error but status " << response.status;
  } catch (const Error& error) {
    return error;
  }
  return {};
}

/// A server that keeps every request without an answer, and says when one came.
struct SilentServer {
  std::vector<RawSocket> sockets;
  std::counting_semaphore<1000> received{0};
  RawServer server{[this](RawSocket socket) {
    socket.read_until("\r\n\r\n");
    sockets.push_back(std::move(socket));
    received.release();
  }};
};

/// Answers each request on each connection with the same bytes, and keeps the requests' heads.
struct FixedServer {
  explicit FixedServer(std::string answer) : answer_(std::move(answer)) {}
  std::string answer_;
  std::vector<std::string> heads;
  std::atomic<int> connections{0};
  RawServer server{[this](RawSocket socket) {
    ++connections;
    for (;;) {
      auto head = socket.read_until("\r\n\r\n");
      if (head.empty()) return;
      const auto length = head.find("Content-Length: ");
      if (length != std::string::npos) head += socket.read_exactly(std::stoul(head.substr(length + 16)));
      heads.push_back(std::move(head));
      if (!socket.send(answer_)) return;
      if (answer_.find("HTTP/1.1") != 0) return;
    }
  }};
};

std::string request_line_and_headers(std::string method, Body body, Headers headers = {}) {
  FixedServer fixed{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
  Client client{client_options()};
  const auto url = fixed.server.url("/a%20b/../c?d=e");
  EXPECT_EQ(
      client.perform({.method = std::move(method), .url = url, .headers = std::move(headers), .body = std::move(body)})
          .status,
      200);
  const auto host = fmt::format("Host: 127.0.0.1:{}\r\n", fixed.server.port());
  auto head = fixed.heads.at(0);
  EXPECT_NE(head.find(host), std::string::npos);
  return head.replace(head.find(host), host.size(), "");
}

TEST(Client, SendsNothingThatWasNotAskedFor) {
  EXPECT_EQ(request_line_and_headers("GET", {}), "GET /a%20b/../c?d=e HTTP/1.1\r\n\r\n");
  EXPECT_EQ(request_line_and_headers("DELETE", {}), "DELETE /a%20b/../c?d=e HTTP/1.1\r\n\r\n");
  EXPECT_EQ(request_line_and_headers("POST", {}), "POST /a%20b/../c?d=e HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(request_line_and_headers("PUT", {}), "PUT /a%20b/../c?d=e HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
  for (const char* method : {"GET", "POST", "PUT", "PATCH"}) {
    EXPECT_EQ(request_line_and_headers(method, Body{"{}"}),
              fmt::format("{} /a%20b/../c?d=e HTTP/1.1\r\nContent-Length: 2\r\n\r\n{{}}", method));
  }
  const std::string large(2 * kBodyInMemory, 'x');
  EXPECT_EQ(request_line_and_headers("PUT", Body{large}).find("Expect"), std::string::npos);
}

TEST(Client, SendsTheHeadersThatWereAskedFor) {
  EXPECT_EQ(request_line_and_headers("GET", {}, {{"Accept", "*/*"}, {"Content-Type", "a/b"}, {"X-Empty", ""}}),
            "GET /a%20b/../c?d=e HTTP/1.1\r\nAccept: */*\r\nContent-Type: a/b\r\nX-Empty:\r\n\r\n");
}

TEST(Client, GivesTheAnswerWithAnyStatus) {
  FixedServer fixed{
      "HTTP/1.1 100 Continue\r\nX: no\r\n\r\n"
      "HTTP/1.1 409 Conflict\r\nContent-Type: application/json; x=y\r\nX:  two words \r\nContent-Length: 3\r\n\r\nabc"};
  Client client{client_options()};
  const auto response = client.perform({.url = fixed.server.url("/")});
  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(response.content_type, "application/json; x=y");
  EXPECT_EQ(*response.headers.find("x"), "two words");
  EXPECT_EQ(response.headers.count("x"), 1u);
  EXPECT_EQ(response.body.text(10), "abc");
}

TEST(Client, ReadsChunkedAnswersAndHead) {
  FixedServer chunked{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"};
  FixedServer head{"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"};
  Client client{client_options()};
  EXPECT_EQ(client.perform({.url = chunked.server.url("/")}).body.text(10), "abcd");
  EXPECT_TRUE(client.perform({.method = "HEAD", .url = head.server.url("/")}).body.empty());
}

TEST(Client, UsesAConnectionAgain) {
  FixedServer fixed{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
  Client client{client_options()};
  for (int i = 0; i < 5; ++i) EXPECT_EQ(client.perform({.method = "POST", .url = fixed.server.url("/")}).status, 200);
  EXPECT_EQ(fixed.connections, 1);
}

TEST(Client, SendsAgainWhenAKeptConnectionWasClosed) {
  std::atomic<int> answered{0};
  RawServer server{[&](RawSocket socket) {
    // Each connection serves one request, and ends without saying so.
    const auto head = socket.read_until("\r\n\r\n");
    if (head.empty()) return;
    EXPECT_EQ(socket.read_exactly(3), "abc");
    ++answered;
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  }};
  Client client{client_options()};
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(client.perform({.method = "POST", .url = server.url("/"), .body = Body{"abc"}}).status, 200);
  }
  EXPECT_EQ(answered, 20);
}

TEST(Client, FollowsARedirectOnlyWhenAskedAndOnlyOne) {
  FixedServer target{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"};
  const auto redirect_to = [](const std::string& url) {
    return fmt::format("HTTP/1.1 307 Temporary Redirect\r\nLocation: {}\r\nX-First: 1\r\nContent-Length: 0\r\n\r\n",
                       url);
  };
  FixedServer once{redirect_to(target.server.url("/there"))};
  FixedServer twice{redirect_to(once.server.url("/"))};
  FixedServer elsewhere{redirect_to("ftp://127.0.0.1/")};
  Client client{client_options()};
  const auto request = [](const FixedServer& fixed) {
    return ClientRequest{.method = "POST",
                         .url = fixed.server.url("/"),
                         .body = Body{"abc"},
                         .redirects = ClientRequest::Redirects::follow_one};
  };
  auto unasked = request(once);
  unasked.redirects = ClientRequest::Redirects::refuse;
  EXPECT_EQ(client.perform(unasked).status, 307);
  EXPECT_TRUE(target.heads.empty());

  const auto response = client.perform(request(once));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body.text(10), "ok");
  EXPECT_EQ(response.headers.find("X-First"), nullptr);
  EXPECT_TRUE(target.heads.at(0).starts_with("POST /there ")) << target.heads.at(0);
  EXPECT_TRUE(target.heads.at(0).ends_with("\r\n\r\nabc")) << target.heads.at(0);

  EXPECT_EQ(error_of(client.send(request(twice))).kind(), ErrorKind::invalid);
  error_of(client.send(request(elsewhere)));
}

TEST(Client, IgnoresProxiesOfTheEnvironment) {
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  ::setenv("all_proxy", "http://127.0.0.1:1", 1);
  FixedServer fixed{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
  {
    Client client{client_options()};
    EXPECT_EQ(client.perform({.url = fixed.server.url("/")}).status, 200);
  }
  ::unsetenv("http_proxy");
  ::unsetenv("all_proxy");
}

TEST(ClientErrors, SayWhatWasTriedWithoutSecrets) {
  std::uint16_t closed_port = 0;
  {
    closed_port = RawServer{[](RawSocket) {}}.port();
  }
  Client client{client_options()};
  const auto error = error_of(client.send(
      {.method = "PUT", .url = fmt::format("http://user:hidden@127.0.0.1:{}/path?key=hidden", closed_port)}));
  EXPECT_EQ(error.kind(), ErrorKind::transient);
  EXPECT_TRUE(error.message().starts_with(fmt::format("PUT http://127.0.0.1:{}/path: ", closed_port)))
      << error.message();
  EXPECT_NE(error.message().find("connect"), std::string::npos) << error.message();
  EXPECT_EQ(error.message().find("hidden"), std::string::npos) << error.message();
}

TEST(ClientErrors, TellLostConnectionsFromBadAnswers) {
  Client client{client_options()};
  const auto kind_after = [&](std::string answer) {
    FixedServer fixed{std::move(answer)};
    return error_of(client.send({.url = fixed.server.url("/"), .deadline = Deadline::in(test::kPatience)})).kind();
  };
  EXPECT_EQ(kind_after(""), ErrorKind::transient);
  EXPECT_EQ(kind_after("garbage, no HTTP\r\n\r\n"), ErrorKind::corrupt);
  EXPECT_EQ(kind_after("HTTP/9.9 what\r\n\r\n"), ErrorKind::corrupt);
  EXPECT_EQ(kind_after(" HTTP/1.1 200 OK\r\n\r\n"), ErrorKind::corrupt);

  RawServer cut{[](RawSocket socket) {
    socket.read_until("\r\n\r\n");
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
  }};
  EXPECT_EQ(error_of(client.send({.url = cut.url("/")})).kind(), ErrorKind::transient);
  RawServer resets{[](RawSocket socket) {
    socket.read_until("\r\n\r\n");
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    socket.reset();
  }};
  EXPECT_EQ(error_of(client.send({.url = resets.url("/")})).kind(), ErrorKind::transient);
}

TEST(ClientErrors, RefuseRequestsThatCannotBeRight) {
  Client client{client_options()};
  for (const char* url : {"", "127.0.0.1", "ftp://127.0.0.1/", "file:///etc/passwd", "http://", "http://a b/",
                          "http://127.0.0.1:99999/", "http://127.0.0.1/a\nb", "httpx://127.0.0.1/"}) {
    EXPECT_EQ(error_of(client.send({.url = url})).kind(), ErrorKind::invalid) << url;
  }
  const std::string url = "http://127.0.0.1:1/";
  EXPECT_EQ(error_of(client.send({.method = "", .url = url})).kind(), ErrorKind::invalid);
  EXPECT_EQ(error_of(client.send({.method = "GET / HTTP/1.1\r\n", .url = url})).kind(), ErrorKind::invalid);
  EXPECT_EQ(error_of(client.send({.url = url, .headers = {{"A", "b\r\nC: d"}}})).kind(), ErrorKind::invalid);
  EXPECT_EQ(error_of(client.send({.url = url, .headers = {{"A: b\r\nC", "d"}}})).kind(), ErrorKind::invalid);
}

TEST(ClientErrors, LimitTheAnswer) {
  FixedServer body{fmt::format("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n{}", std::string(1001, 'x'))};
  FixedServer headers{
      fmt::format("HTTP/1.1 200 OK\r\nX: {0}\r\nX: {0}\r\nX: {0}\r\nX: {0}\r\nContent-Length: 0\r\n\r\n",
                  std::string(90'000, 'x'))};
  Client client{client_options()};
  const auto error = error_of(client.send({.url = body.server.url("/"), .response_limit = 1000}));
  EXPECT_EQ(error.kind(), ErrorKind::invalid);
  EXPECT_NE(error.message().find("more than 1000 bytes"), std::string::npos) << error.message();
  EXPECT_EQ(client.perform({.url = body.server.url("/"), .response_limit = 1001}).body.size(), 1001u);
  EXPECT_EQ(error_of(client.send({.url = headers.server.url("/")})).kind(), ErrorKind::invalid);
}

TEST(ClientErrors, PassOnWhatTheBodyAndTheSpoolThrow) {
  auto file = File::temporary(std::filesystem::temp_directory_path());
  file.write(as_bytes(std::string(2 * kBodyInMemory, 'x')));
  const Body spooled{std::move(file)};
  Router router;
  router.add({"GET", "/", Lane::node, [&](const Request&) { return Response{.body = spooled}; }});
  Server server{{.port = 0, .spool_directory = std::filesystem::temp_directory_path()}, std::move(router)};
  Client client{{.spool_directory = "/no/such/directory"}};
  const auto error = error_of(client.send({.url = fmt::format("http://127.0.0.1:{}/", server.port())}));
  EXPECT_EQ(error.kind(), ErrorKind::not_found);
  EXPECT_NE(error.message().find("/no/such/directory"), std::string::npos) << error.message();
}

TEST(ClientDeadline, EndsATransfer) {
  SilentServer silent;
  Client client{client_options()};
  const auto error = error_of(client.send({.url = silent.server.url("/"), .deadline = Deadline::in(100ms)}));
  EXPECT_EQ(error.kind(), ErrorKind::transient);
  EXPECT_NE(error.message().find("timed out"), std::string::npos) << error.message();
  EXPECT_EQ(error_of(client.send({.url = silent.server.url("/"), .deadline = Deadline::in(0ms)})).kind(),
            ErrorKind::transient);
}

TEST(ClientDeadline, CountsTheWaitForOtherTransfers) {
  SilentServer silent;
  auto options = client_options();
  options.maximum_transfers = 1;
  Client client{options};
  const auto first = client.send({.url = silent.server.url("/"), .deadline = Deadline::in(test::kPatience)});
  silent.received.acquire();
  const auto error = error_of(client.send({.url = silent.server.url("/"), .deadline = Deadline::in(50ms)}));
  EXPECT_EQ(error.kind(), ErrorKind::transient);
  EXPECT_NE(error.message().find("not sent in time"), std::string::npos) << error.message();
}

TEST(ClientCancellation, EndsWhatRunsAndWhatWaits) {
  SilentServer silent;
  auto options = client_options();
  options.maximum_transfers = 1;
  Client client{options};
  std::stop_source stop;
  const auto request = [&] {
    return ClientRequest{
        .url = silent.server.url("/"), .deadline = Deadline::in(test::kPatience), .stop = stop.get_token()};
  };
  auto running = client.send(request());
  silent.received.acquire();
  auto waiting = client.send(request());
  const auto start = steady_clock::now();
  stop.request_stop();
  EXPECT_EQ(error_of(std::move(running)).kind(), ErrorKind::cancelled);
  EXPECT_EQ(error_of(std::move(waiting)).kind(), ErrorKind::cancelled);
  EXPECT_EQ(error_of(client.send(request())).kind(), ErrorKind::cancelled);
  EXPECT_LT(steady_clock::now() - start, 10s);
}

TEST(ClientCancellation, EndsAWaitingRequestWhileOthersRun) {
  SilentServer silent;
  auto options = client_options();
  options.maximum_transfers = 1;
  Client client{options};
  const auto running = client.send({.url = silent.server.url("/"), .deadline = Deadline::in(test::kPatience)});
  silent.received.acquire();
  std::stop_source stop;
  auto waiting =
      client.send({.url = silent.server.url("/"), .deadline = Deadline::in(test::kPatience), .stop = stop.get_token()});
  stop.request_stop();
  EXPECT_EQ(error_of(std::move(waiting)).kind(), ErrorKind::cancelled);
}

TEST(ClientCancellation, IsPartOfDestruction) {
  SilentServer silent;
  std::vector<std::future<Response>> futures;
  const auto start = steady_clock::now();
  {
    auto options = client_options();
    options.maximum_transfers = 2;
    Client client{options};
    for (int i = 0; i < 5; ++i) {
      futures.push_back(client.send({.url = silent.server.url("/"), .deadline = Deadline::in(test::kPatience)}));
    }
    silent.received.acquire();
  }
  for (auto& future : futures) EXPECT_EQ(error_of(std::move(future)).kind(), ErrorKind::cancelled);
  EXPECT_LT(steady_clock::now() - start, 10s);
}

}  // namespace
}  // namespace cherax::http
