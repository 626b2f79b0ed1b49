#include "http/server.h"

#include <gtest/gtest.h>

#include <semaphore>

#include "base/error.h"
#include "base/log.h"
#include "http/raw_socket_for_tests.h"

namespace cherax::http {
namespace {

using test::Answer;
using test::RawSocket;

constexpr std::string_view kInvalid = "Invalid HTTP request received.";

ServerOptions quick_options() {
  return {.port = 0, .spool_directory = std::filesystem::temp_directory_path(), .body_limit = 8 * kBodyInMemory};
}

/// What the handler saw, as text.
Response echo(const Request& request) {
  auto text = fmt::format("{} {} host={}", request.method, request.path, request.host);
  for (const auto& [name, value] : request.query) text += fmt::format(" {}={}", name, value);
  for (const auto& [name, value] : request.path_parameters) text += fmt::format(" {{{}}}={}", name, value);
  return Response::plain_text(text + " body=" + request.body.text(100), 200);
}

Response size_of_body(const Request& request) {
  return Response::plain_text(
      fmt::format("{} {}", request.body.size(), request.body.in_memory() ? "in memory" : "in a file"), 200);
}

Router routes() {
  Router router;
  for (const char* method : {"GET", "POST", "PUT"}) router.add({method, "/echo", Lane::node, echo});
  router.add({"GET", "/{op}/{id}", Lane::coordinator, echo});
  router.add({"POST", "/only-post", Lane::node, echo});
  router.add({"POST", "/size", Lane::node, size_of_body});
  router.add(
      {"GET", "/throw", Lane::node, [](const Request&) -> Response { fail(ErrorKind::denied, "not for everybody"); }});
  router.add({"GET", "/headers", Lane::node, [](const Request& request) {
                const auto* value = request.headers.find("x-TWO");
                return Response::plain_text(value ? *value : "none", 200);
              }});
  return router;
}

class ServerTest : public testing::Test {
 protected:
  RawSocket connect() { return RawSocket::connect(server_.port()); }
  std::string host() const { return fmt::format("127.0.0.1:{}", server_.port()); }
  /// One request on its own connection. `request` is without its Host line.
  Answer ask(std::string_view request_line, std::string_view rest = "\r\n", bool has_body = true) {
    auto socket = connect();
    socket.send(fmt::format("{} HTTP/1.1\r\nHost: node1:5515\r\n{}", request_line, rest));
    return socket.read_answer(has_body);
  }
  /// Sends bytes, expects the answer to what is no HTTP, and the end.
  void expect_refused(std::string_view bytes) {
    auto socket = connect();
    socket.send(bytes);
    const auto answer = socket.read_answer();
    EXPECT_EQ(answer.status, 400) << bytes;
    EXPECT_EQ(answer.body, kInvalid);
    EXPECT_EQ(answer.header("content-type"), "text/plain; charset=utf-8");
    EXPECT_EQ(answer.header("connection"), "close");
    EXPECT_EQ(socket.read_all(), "");
  }

  Server server_{quick_options(), routes()};
};

TEST_F(ServerTest, HandsTheWholeRequestToItsHandler) {
  const auto answer = ask("PUT /echo?locker=a%20b&ttl=60", "Content-Length: 5\r\n\r\nhello");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "PUT /echo host=node1:5515 locker=a b ttl=60 body=hello");
  EXPECT_EQ(ask("GET /back%20up/7").body, "GET /back up/7 host=node1:5515 {op}=back up {id}=7 body=");
  EXPECT_EQ(ask("GET /headers", "x-one: 1\r\nX-Two: two\r\n\r\n").body, "two");
}

TEST_F(ServerTest, AnswersWithTheHeadersOfEveryResponse) {
  const auto answer = ask("GET /echo");
  EXPECT_EQ(answer.head.substr(0, 17), "HTTP/1.1 200 OK\r\n");
  EXPECT_EQ(answer.header("server"), "cherax");
  EXPECT_EQ(answer.header("content-length"), std::to_string(answer.body.size()));
  EXPECT_EQ(answer.header("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(answer.header("date").size(), 29u);
  EXPECT_EQ(answer.header("connection"), "");
  EXPECT_EQ(answer.head.find("chunked"), std::string::npos);
}

TEST_F(ServerTest, TakesAGetWithABody) {
  EXPECT_EQ(ask("GET /echo", "Content-Length: 2\r\n\r\n{}").body, "GET /echo host=node1:5515 body={}");
}

TEST_F(ServerTest, TakesAChunkedBody) {
  const auto answer =
      ask("POST /echo", "Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nT: 1\r\n\r\n");
  EXPECT_EQ(answer.body, "POST /echo host=node1:5515 body=abcdefg");
}

TEST_F(ServerTest, SpoolsALargeBody) {
  for (const auto& [size, where] :
       {std::pair{kBodyInMemory, "in memory"}, {kBodyInMemory + 1, "in a file"}, {3 * kBodyInMemory, "in a file"}}) {
    const auto answer = ask("POST /size", fmt::format("Content-Length: {}\r\n\r\n{}", size, std::string(size, 'x')));
    EXPECT_EQ(answer.body, fmt::format("{} {}", size, where));
  }
}

TEST_F(ServerTest, AsksForTheBodyOfWhoExpectsIt) {
  auto socket = connect();
  socket.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(socket.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  socket.send("ok");
  EXPECT_EQ(socket.read_answer().body, "POST /echo host=a body=ok");
}

TEST_F(ServerTest, DoesNotAskForABodyThatItWillNotTake) {
  EXPECT_EQ(ask("POST /no", "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n").status, 404);
  EXPECT_EQ(ask("POST /echo", "Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n").status, 413);
}

TEST_F(ServerTest, RefusesABodyOverTheLimit) {
  const auto limit = 8 * kBodyInMemory;
  EXPECT_EQ(ask("POST /size", fmt::format("Content-Length: {}\r\n\r\n{}", limit, std::string(limit, 'x'))).status, 200);

  const auto answer = ask("POST /size", fmt::format("Content-Length: {}\r\n\r\n", limit + 1));
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.body, R"({"detail":"Content Too Large"})");
  EXPECT_EQ(answer.header("connection"), "close");

  // The connection is not reset while the client is still sending, or the answer could be lost.
  const auto chunk = fmt::format("{:x}\r\n{}\r\n", kBodyInMemory, std::string(kBodyInMemory, 'x'));
  auto socket = connect();
  socket.send("POST /size HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 40; ++i) EXPECT_TRUE(socket.send(chunk)) << i;
  EXPECT_EQ(socket.read_answer().status, 413);
}

TEST_F(ServerTest, AnswersWhatHasNoRoute) {
  const auto unknown = ask("POST /no/such/path", "Content-Length: 3\r\n\r\nabc");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.body, R"({"detail":"Not Found"})");
  const auto method = ask("DELETE /only-post");
  EXPECT_EQ(method.status, 405);
  EXPECT_EQ(method.header("allow"), "POST");
  EXPECT_EQ(ask("OPTIONS /only-post").status, 405);
  EXPECT_EQ(ask("BREW /only-post").status, 405);
  const auto slash = ask("POST /only-post/?a=b%20c");
  EXPECT_EQ(slash.status, 307);
  EXPECT_EQ(slash.header("location"), "http://node1:5515/only-post?a=b%20c");
  EXPECT_EQ(slash.header("content-length"), "0");
}

TEST_F(ServerTest, AnswersHeadWithoutBody) {
  auto socket = connect();
  socket.send("HEAD /echo HTTP/1.1\r\nHost: a\r\n\r\nGET /headers HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto head = socket.read_answer(false);
  EXPECT_EQ(head.status, 405);
  EXPECT_EQ(head.header("content-length"), "31");
  EXPECT_EQ(socket.read_answer().body, "none");
}

TEST_F(ServerTest, AnswersAnExceptionWith500AndGoesOn) {
  auto socket = connect();
  for (int i = 0; i < 2; ++i) {
    socket.send("GET /throw HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto answer = socket.read_answer();
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(answer.body, "Internal Server Error");
    EXPECT_EQ(answer.header("content-type"), "text/plain; charset=utf-8");
  }
}

TEST_F(ServerTest, KeepsTheConnectionOpenUntilAskedToClose) {
  auto socket = connect();
  for (int i = 0; i < 3; ++i) {
    socket.send("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(socket.read_answer().status, 200);
  }
  socket.send("GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(socket.read_answer().header("connection"), "close");
  EXPECT_EQ(socket.read_all(), "");
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  auto socket = connect();
  std::string requests;
  for (int i = 0; i < 300; ++i) {
    requests += fmt::format("POST /echo?i={0} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n{0:4}", i);
    requests += "GET /no/such/path HTTP/1.1\r\nHost: a\r\n\r\n";
  }
  socket.send(requests);
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(socket.read_answer().body, fmt::format("POST /echo host=a i={0} body={0:4}", i));
    EXPECT_EQ(socket.read_answer().status, 404);
  }
}

TEST_F(ServerTest, AnswersAClientThatHasShutDownItsSide) {
  auto socket = connect();
  socket.send("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
  socket.shut_down_sending();
  EXPECT_EQ(socket.read_answer().status, 200);
  EXPECT_EQ(socket.read_all(), "");
}

TEST_F(ServerTest, ClosesWithoutAnswerWhenTheRequestIsCutOff) {
  for (const char* part : {"", "GET / HT", "GET /echo HTTP/1.1\r\nHost: a\r\n",
                           "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab",
                           "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"}) {
    auto socket = connect();
    socket.send(part);
    socket.shut_down_sending();
    EXPECT_EQ(socket.read_all(), "") << part;
  }
}

TEST_F(ServerTest, AnswersHttp10) {
  auto socket = connect();
  socket.send("GET /echo HTTP/1.0\r\n\r\n");
  const auto answer = socket.read_answer();
  EXPECT_EQ(answer.body, fmt::format("GET /echo host={} body=", host()));
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_EQ(socket.read_all(), "");

  auto kept = connect();
  for (int i = 0; i < 2; ++i) {
    kept.send("GET /echo HTTP/1.0\r\nHost: named\r\nConnection: keep-alive\r\n\r\n");
    const auto again = kept.read_answer();
    EXPECT_EQ(again.body, "GET /echo host=named body=");
    EXPECT_EQ(again.header("connection"), "keep-alive");
  }
}

TEST_F(ServerTest, RefusesWhatIsNoHttp) {
  expect_refused("hello\r\n\r\n");
  expect_refused(std::string_view{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11});  // TLS
  expect_refused("GET /echo HTTP/2.0\r\nHost: a\r\n\r\n");
  expect_refused("GET /echo\r\n\r\n");
  expect_refused("GET /ec ho HTTP/1.1\r\nHost: a\r\n\r\n");
  expect_refused("GET /echo HTTP/1.1\r\nHost a\r\n\r\n");
  expect_refused("GET /echo HTTP/1.1\nHost: a\n\n");
  expect_refused("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n");
  expect_refused("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n");
}

TEST_F(ServerTest, RefusesWhatCouldBeReadInTwoWays) {
  expect_refused("GET /echo HTTP/1.1\r\n\r\n");  // whom is it for?
  expect_refused("GET /echo HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
  // where does it end?
  expect_refused("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab");
  expect_refused("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  expect_refused("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n");
  expect_refused("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n");
  expect_refused("POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
}

TEST_F(ServerTest, RefusesHugeHeaders) {
  const auto answer = ask("GET /echo", fmt::format("X: {}\r\n\r\n", std::string(100'000, 'x')));
  EXPECT_EQ(answer.status, 431);
  EXPECT_EQ(answer.header("connection"), "close");
}

TEST_F(ServerTest, SurvivesClientsThatVanish) {
  for (int i = 0; i < 20; ++i) {
    auto socket = connect();
    socket.send("GET /echo HTTP/1.1\r\nHost: a\r\n\r\nGET /echo HTTP/1.1\r\nHo");
    socket.reset();
  }
  EXPECT_EQ(ask("GET /echo").status, 200);
}

/// What a server logs for requests without a body, at that level.
std::string log_of(log::Level level, std::initializer_list<std::string_view> request_lines) {
  testing::internal::CaptureStderr();
  log::set_level(level);
  {
    Server server{quick_options(), routes()};
    auto socket = RawSocket::connect(server.port());
    for (const auto line : request_lines) {
      socket.send(fmt::format("{} HTTP/1.1\r\nHost: a\r\n\r\n", line));
      socket.read_answer();
    }
  }
  log::set_level(log::Level::info);
  return testing::internal::GetCapturedStderr();
}

TEST(ServerLog, HasALineForEachRequestWithoutItsQuery) {
  const auto lines = log_of(log::Level::debug, {"GET /echo?password=hidden", "POST /on%0Aly"});
  EXPECT_NE(lines.find("debug GET /echo 200 "), std::string::npos) << lines;
  EXPECT_NE(lines.find("info POST /on%0Aly 404 "), std::string::npos) << lines;
  EXPECT_EQ(lines.find("hidden"), std::string::npos) << lines;
}

TEST(ServerLog, HasNoLineForAGetAtLevelInfo) {
  const auto lines = log_of(log::Level::info, {"GET /echo", "POST /echo"});
  EXPECT_EQ(lines.find("GET"), std::string::npos) << lines;
  EXPECT_NE(lines.find("POST"), std::string::npos) << lines;
}

TEST(ServerLog, SaysWhyAHandlerFailed) {
  const auto lines = log_of(log::Level::info, {"GET /throw?password=hidden"});
  EXPECT_NE(lines.find("error GET /throw: not for everybody"), std::string::npos) << lines;
  EXPECT_EQ(lines.find("hidden"), std::string::npos) << lines;
}

TEST(ServerSpool, AnswersWith500WhenItCannotKeepTheBody) {
  auto options = quick_options();
  options.spool_directory = "/no/such/directory";
  Server server{options, routes()};
  auto socket = RawSocket::connect(server.port());
  socket.send(fmt::format("POST /size HTTP/1.1\r\nHost: a\r\nContent-Length: {0}\r\n\r\n{1}", 2 * kBodyInMemory,
                          std::string(2 * kBodyInMemory, 'x')));
  EXPECT_EQ(socket.read_answer().status, 500);
}

TEST(ServerListening, SaysWhyItCannot) {
  Server first{quick_options(), {}};
  auto options = quick_options();
  options.port = first.port();
  try {
    Server second{options, {}};
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid);
    EXPECT_EQ(error.message(), fmt::format("listening on 127.0.0.1 port {}: Address already in use; another process "
                                           "listens there: stop it, or choose another port",
                                           first.port()));
  }
  options = quick_options();
  options.host = "192.0.2.1";
  EXPECT_THROW((Server{options, {}}), Error);
  options.host = "no such host.invalid";
  EXPECT_THROW((Server{options, {}}), Error);
}

TEST(ServerListening, ListensOnAllAddressesOfAName) {
  auto options = quick_options();
  options.host = "localhost";
  Server server{options, routes()};
  auto socket = RawSocket::connect(server.port());
  socket.send("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(socket.read_answer().status, 200);
}

}  // namespace
}  // namespace cherax::http
