#include "cassandra/cql/connection.h"

#include <gtest/gtest.h>

#include "cassandra/cql/fake_server_for_tests.h"

namespace cherax::cassandra::cql {
namespace {

using namespace std::chrono_literals;

Deadline soon() { return Deadline::in(30s); }

void serve_rows(Session& session) {
  if (session.receive().empty()) return;
  session.answer_ready();
  while (!session.receive().empty()) session.answer("rows_types");
}

ClientOptions client(const FakeServer& server, std::string host = "127.0.0.1") {
  ClientOptions options;
  options.hostnames = {std::move(host)};
  options.port = server.port();
  return options;
}

/// The Error, which must come.
Error failure(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return {};
}

bool has(const Error& error, std::string_view text) { return error.message().find(text) != std::string::npos; }

TEST(Connection, QueriesAServerWithoutAuthentication) {
  const FakeServer server{serve_rows};
  Connection connection{client(server), soon()};
  EXPECT_EQ(connection.query("SELECT k,b,f,i,l,t,u FROM shop.blobs", soon()).size(), 2u);
  EXPECT_EQ(connection.query("again", soon()).size(), 2u);
  EXPECT_EQ(connection.peer(), fmt::format("127.0.0.1:{}", server.port()));
}

TEST(Connection, SpeaksOverIpv6) {
  const FakeServer server{serve_rows, {}, AF_INET6};
  Connection connection{client(server, "::1"), soon()};
  EXPECT_EQ(connection.query("q", soon()).size(), 2u);
  EXPECT_EQ(connection.peer(), fmt::format("[::1]:{}", server.port()));
}

TEST(Connection, LogsInWithUserNameAndPassword) {
  std::string token;
  const FakeServer server{[&](Session& session) {
    session.receive();
    session.answer("authenticate");
    token = as_text(ByteView{session.receive()}.subspan(13));
    session.answer("auth_success");
  }};
  auto options = client(server);
  options.username = "me";
  options.password = "hidden";
  { Connection connection{options, soon()}; }
  EXPECT_EQ(token, (std::string{"\0me\0hidden", 10}));
}

TEST(Connection, RefusedCredentialsAreDeniedWithoutThePassword) {
  const FakeServer server{[](Session& session) {
    session.receive();
    session.answer("authenticate");
    session.receive();
    session.answer("error_credentials");
  }};
  auto options = client(server);
  options.hostnames = {"127.0.0.1", "127.0.0.1"};
  options.username = "cassandra";
  options.password = "hidden";
  const Error error = failure([&] { Connection{options, soon()}; });
  EXPECT_EQ(error.kind(), ErrorKind::denied);
  EXPECT_TRUE(has(error, "Provided username cassandra and/or password are incorrect"));
  EXPECT_FALSE(has(error, "hidden"));
  EXPECT_EQ(server.accepted(), 1);
}

TEST(Connection, ServerThatWantsALoginSaysWhatToSet) {
  const FakeServer server{[](Session& session) {
    session.receive();
    session.answer("authenticate");
  }};
  const Error error = failure([&] { Connection{client(server), soon()}; });
  EXPECT_EQ(error.kind(), ErrorKind::denied);
  EXPECT_TRUE(has(error, "set username and password"));
}

TEST(Connection, TriesHostsInOrder) {
  const FakeServer server{serve_rows};
  auto options = client(server);
  options.hostnames = {"127.0.0.99", "127.0.0.1"};  // the first: nothing listens there
  Connection connection{options, soon()};
  EXPECT_EQ(connection.peer(), fmt::format("127.0.0.1:{}", server.port()));
}

TEST(Connection, NoHostThatAnswersIsTransientAndNamesThemAll) {
  std::uint16_t port = 0;
  {
    const FakeServer server{serve_rows};
    port = server.port();
  }
  ClientOptions options;
  options.hostnames = {"127.0.0.1", "::1"};
  options.port = port;
  const Error error = failure([&] { Connection{options, soon()}; });
  EXPECT_EQ(error.kind(), ErrorKind::transient);
  EXPECT_TRUE(
      has(error, fmt::format("CQL session with 127.0.0.1:{}: connecting failed (127.0.0.1: Connection refused)", port)))
      << error.message();
  EXPECT_TRUE(has(error, "[::1]"));
}

TEST(Connection, FetchesEveryPage) {
  std::vector<Bytes> requests;
  const FakeServer server{[&](Session& session) {
    session.receive();
    session.answer_ready();
    requests.push_back(session.receive());
    session.answer("rows_page");  // one row and a paging state
    requests.push_back(session.receive());
    session.answer("rows_page");
    requests.push_back(session.receive());
    Bytes last = recorded_frame("rows_page");
    last.erase(last.begin() + 21, last.begin() + 21 + 4 + std::to_integer<int>(last[24]));
    last[16] = std::byte{1};  // no more pages
    last[8] = static_cast<std::byte>(last.size() - kHeaderSize);
    last[2] = last[3] = std::byte{0};
    session.send(last);
  }};
  Connection connection{client(server), soon()};
  EXPECT_EQ(connection.query("SELECT k FROM shop.blobs", soon()).size(), 3u);
  const auto state = recorded<Rows>("rows_page").paging_state;
  EXPECT_EQ(requests.at(0),
            encode_query(0, "SELECT k FROM shop.blobs", Consistency::one, {Limits{}.page_rows, std::nullopt}));
  EXPECT_EQ(requests.at(1), encode_query(0, "SELECT k FROM shop.blobs", Consistency::one, {Limits{}.page_rows, state}));
}

TEST(Connection, EndlessPagesEndAtTheLimit) {
  const FakeServer server{[](Session& session) {
    session.receive();
    session.answer_ready();
    while (!session.receive().empty()) session.answer("rows_page");
  }};
  Connection connection{client(server), soon(), {.frame = 1024, .result = 1000}};
  const Error error = failure([&] { connection.query("q", soon()); });
  EXPECT_EQ(error.kind(), ErrorKind::invalid);
  EXPECT_TRUE(has(error, "more than the 1000 bytes allowed"));
}

TEST(Connection, ServersErrorLeavesTheSessionUsable) {
  const FakeServer server{[](Session& session) {
    session.receive();
    session.answer_ready();
    session.receive();
    session.answer("error_already_exists_table");
    session.receive();
    session.answer("result_schema_change");
    session.receive();
    session.answer("result_void");
  }};
  Connection connection{client(server), soon()};
  const Error error = failure([&] { connection.execute_schema("CREATE TABLE\nshop.stat (k int)", soon()); });
  EXPECT_EQ(error.kind(), ErrorKind::already_exists);
  EXPECT_TRUE(has(error, "CQL \"CREATE TABLE shop.stat (k int)\" on 127.0.0.1:")) << error.message();
  connection.execute_schema("CREATE TABLE shop.tiny (k int PRIMARY KEY)", soon());
  EXPECT_EQ(failure([&] { connection.query("INSERT", soon()); }).kind(), ErrorKind::invalid);
}

TEST(Connection, SilentServerIsATimeoutAndTheSessionIsGivenUp) {
  const FakeServer server{[](Session& session) {
    session.receive();
    session.answer_ready();
    session.receive();
    session.receive();  // until the client is gone
  }};
  Connection connection{client(server), soon()};
  const Error error = failure([&] { connection.query("q", Deadline::in(50ms)); });
  EXPECT_EQ(error.kind(), ErrorKind::transient);
  EXPECT_TRUE(has(error, "time out while waiting for the answer"));
  EXPECT_TRUE(has(failure([&] { connection.query("q", soon()); }), "open a new one"));
}

TEST(Connection, ServerThatGoesAwayIsTransient) {
  const FakeServer server{[](Session& session) {
    session.receive();
    session.answer_ready();
    session.receive();
    Bytes half = recorded_frame("rows_types");
    half.resize(20);
    session.send(half);
  }};
  Connection connection{client(server), soon()};
  const Error error = failure([&] { connection.query("q", soon()); });
  EXPECT_EQ(error.kind(), ErrorKind::transient);
  EXPECT_TRUE(has(error, "the server closed the connection"));
}

TEST(Connection, GarbageAndWrongStreamAreCorrupt) {
  const FakeServer garbage{[](Session& session) {
    session.receive();
    session.send(as_bytes("HTTP/1.1 400 Bad Request\r\n"));
  }};
  EXPECT_EQ(failure([&] { Connection{client(garbage), soon()}; }).kind(), ErrorKind::corrupt);
  const FakeServer stray{[](Session& session) {
    session.receive();
    session.send(from_hex("840000090200000000").value());
  }};
  EXPECT_EQ(failure([&] { Connection{client(stray), soon()}; }).kind(), ErrorKind::corrupt);
}

class TlsConnection : public ::testing::Test {
 protected:
  TlsConnection() {
    std::string pattern = ::testing::TempDir() + "tls-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    ca_.emplace(directory_, "ca", "", nullptr);
    other_ca_.emplace(directory_, "other-ca", "", nullptr);
    server_.emplace(directory_, "server", "IP:127.0.0.1,DNS:db.example", &*ca_);
    client_.emplace(directory_, "client", "DNS:client", &*ca_);
  }
  ~TlsConnection() override { std::filesystem::remove_all(directory_); }

  ClientOptions options(const FakeServer& server) const {
    auto options = client(server);
    options.ca_cert_path = ca_->certificate_file;
    return options;
  }

  std::filesystem::path directory_;
  std::optional<Identity> ca_;
  std::optional<Identity> other_ca_;
  std::optional<Identity> server_;
  std::optional<Identity> client_;
};

TEST_F(TlsConnection, AcceptsACertificateOfItsCaForTheHost) {
  const FakeServer server{serve_rows, {&*server_}};
  Connection connection{options(server), soon()};
  EXPECT_EQ(connection.query("q", soon()).size(), 2u);
}

TEST_F(TlsConnection, ChecksTheNameThatIsGiven) {
  const FakeServer server{serve_rows, {&*server_}};
  auto named = options(server);
  named.tls_server_name = "db.example";
  EXPECT_EQ(Connection(named, soon()).query("q", soon()).size(), 2u);
  named.tls_server_name = "other.example";
  const Error error = failure([&] { Connection{named, soon()}; });
  EXPECT_EQ(error.kind(), ErrorKind::denied);
  EXPECT_TRUE(has(error, "ostname mismatch")) << error.message();
  auto by_name = options(server);
  by_name.hostnames = {"localhost"};
  EXPECT_EQ(failure([&] { Connection{by_name, soon()}; }).kind(), ErrorKind::denied);
}

TEST_F(TlsConnection, RefusesACertificateOfAnotherCa) {
  const FakeServer server{serve_rows, {&*server_}};
  auto wrong = options(server);
  wrong.ca_cert_path = other_ca_->certificate_file;
  const Error error = failure([&] { Connection{wrong, soon()}; });
  EXPECT_EQ(error.kind(), ErrorKind::denied);
  EXPECT_TRUE(has(error, "certificate is refused")) << error.message();
}

TEST_F(TlsConnection, ShowsItsOwnCertificate) {
  const FakeServer server{serve_rows, {&*server_, &*ca_}};
  auto with = options(server);
  with.client_cert_path = client_->certificate_file;
  with.client_key_path = client_->key_file;
  EXPECT_EQ(Connection(with, soon()).query("q", soon()).size(), 2u);
  EXPECT_EQ(failure([&] { Connection{options(server), soon()}; }).kind(), ErrorKind::denied);
}

TEST_F(TlsConnection, ServerWithoutTlsIsInvalid) {
  const FakeServer server{[](Session& session) {
    session.receive();
    session.answer("error_syntax");
  }};
  const Error error = failure([&] { Connection{options(server), soon()}; });
  EXPECT_EQ(error.kind(), ErrorKind::invalid) << error.message();
}

TEST_F(TlsConnection, MissingOrInconsistentFilesAreInvalid) {
  const FakeServer server{serve_rows, {&*server_}};
  auto missing = options(server);
  missing.ca_cert_path = "/nonexistent/ca.pem";
  EXPECT_TRUE(has(failure([&] { Connection{missing, soon()}; }), "ca_cert_path /nonexistent/ca.pem"));
  auto without_ca = client(server);
  without_ca.client_cert_path = client_->certificate_file;
  EXPECT_EQ(failure([&] { Connection{without_ca, soon()}; }).kind(), ErrorKind::invalid);
  auto without_certificate = options(server);
  without_certificate.client_key_path = client_->key_file;
  EXPECT_EQ(failure([&] { Connection{without_certificate, soon()}; }).kind(), ErrorKind::invalid);
}

}  // namespace
}  // namespace cherax::cassandra::cql
