#include <sys/stat.h>
#include <unistd.h>

#include "cassandra/addresses.h"
#include "http/server.h"
#include "plugins/cassandra/extension_for_tests.h"

namespace cherax::plugins::cassandra {
namespace {

using namespace test;
using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kAddresses = "listen_address: 127.0.0.1\nrpc_address: 127.0.0.1\nstorage_port: 1";

class NodeProcessTest : public ExtensionTest {
 protected:
  fs::path edited() const { return path("db") / "cassandra.yaml"; }

  /// Stops while something listens at `host` on the port that {} in `addresses` stands for.
  void expect_open(const std::string& what, const std::string& host, const std::string& addresses) {
    const http::Server listener{{.host = host, .port = 0, .spool_directory = directory_.path()}, {}};
    edit_yaml(kAddresses, fmt::format(fmt::runtime(addresses), listener.port()));
    EXPECT_THAT(error_of("stop-cassandra"), HasSubstr(fmt::format("the {}:{} is open", what, listener.port())));
  }
};

TEST_F(NodeProcessTest, StartsWithAnEditedConfigurationAsLastArgument) {
  record_calls_of("start", fmt::format("cp \"$2\" {}", path("seen.yaml").string()));
  const auto original = text(path("cassandra.yaml"));
  run("start-cassandra", R"({"tokens":["-5","7"],"replace_address_first_boot":null,"skip_bootstrap_streaming":null})");
  EXPECT_EQ(calls(), fmt::format("start --foreground {}\n", edited().string()));
  const auto seen = ::cherax::cassandra::load_configuration(path("seen.yaml"));
  EXPECT_FALSE(seen.auto_bootstrap);
  EXPECT_EQ(seen.initial_tokens, (std::vector<std::string>{"-5", "7"}));
  EXPECT_EQ(seen.num_tokens, 2);
  EXPECT_EQ(seen.cluster_name, "Test Cluster");
  EXPECT_EQ(seen.data_file_directories, std::vector<fs::path>{data()});
  EXPECT_THAT(text(path("seen.yaml")), HasSubstr("# as it was delivered"));
  EXPECT_EQ(text(path("cassandra.yaml")), original);
  EXPECT_TRUE(is_there(edited())) << "Cassandra may read it again";
}

TEST_F(NodeProcessTest, StartsWithTheOwnTokensWhenNoneAreGiven) {
  run("start-cassandra");
  const auto seen = ::cherax::cassandra::load_configuration(edited());
  EXPECT_TRUE(seen.initial_tokens.empty());
  EXPECT_EQ(seen.num_tokens, 16);
  EXPECT_FALSE(seen.auto_bootstrap);
}

TEST_F(NodeProcessTest, CassandrasGroupCanReadTheEditedConfiguration) {
  for (const ::mode_t mode : {0644, 0640, 0600}) {
    ::chmod(path("cassandra.yaml").c_str(), mode);
    run("start-cassandra");
    const auto status = status_of(edited()).value();
    EXPECT_EQ(status.st_gid, status_of(path("cassandra.yaml"))->st_gid);
    EXPECT_NE(status.st_mode & 0040, 0U) << fmt::format("{:o}", mode);
    EXPECT_EQ(status.st_mode & 0022, 0U) << "others must not write it";
    EXPECT_EQ(status.st_mode & 0004, mode & 0004) << "it may hold a password";
  }
}

TEST_F(NodeProcessTest, TheEditedConfigurationBelongsToTheGroupOfTheOriginal) {
  if (::geteuid() != 0) {  // nobody else may give files away
    SUCCEED();
    return;
  }
  ASSERT_EQ(::chown(path("cassandra.yaml").c_str(), 1234, 5678), 0);
  ::chmod(path("cassandra.yaml").c_str(), 0640);
  run("start-cassandra");
  EXPECT_EQ(status_of(edited())->st_gid, 5678U);
}

TEST_F(NodeProcessTest, SaysWhyAStartFailed) {
  write_script("start", "echo out of memory\nexit 7");
  EXPECT_THAT(error_of("start-cassandra"), AllOf(HasSubstr("start"), HasSubstr("7"), HasSubstr("out of memory")));
}

TEST_F(NodeProcessTest, AStartThatHangsIsEnded) {
  options_.command_timeout = 1;
  write_script("start", "echo waiting for nothing\nexec sleep 600");
  EXPECT_THAT(error_of("start-cassandra"), AllOf(HasSubstr("start"), HasSubstr("waiting for nothing")));
}

TEST_F(NodeProcessTest, AConfigurationThatCannotBeEditedStartsNothing) {
  record_calls_of("start");
  write(path("cassandra.yaml"), "a: [1,\n");
  EXPECT_THAT(error_of("start-cassandra"), HasSubstr(path("cassandra.yaml").string()));
  EXPECT_EQ(calls(), "");
}

TEST_F(NodeProcessTest, StopsByTheCommandAlone) {
  record_calls_of("nodetool");
  record_calls_of("stop");
  write(path("commitlog") / "CommitLog-7-1.log", "x");
  run("stop-cassandra");
  EXPECT_EQ(calls(), "stop\n");
  EXPECT_TRUE(is_there(path("commitlog") / "CommitLog-7-1.log"));
}

TEST_F(NodeProcessTest, DrainsBeforeItStops) {
  record_calls_of("nodetool");
  record_calls_of("stop");
  write(path("commitlog") / "CommitLog-7-1.log", "x");
  run("stop-cassandra", R"({"drain":true})");
  EXPECT_EQ(calls(), "nodetool -p 7199 drain\nstop\n");
  EXPECT_TRUE(is_there(path("commitlog") / "CommitLog-7-1.log")) << "a drained node has nothing in it";
}

TEST_F(NodeProcessTest, ANodeThatCouldNotBeDrainedLosesItsCommitLog) {
  record_calls_of("nodetool", "exit 1");
  record_calls_of("stop", fmt::format("test -e {}/CommitLog-7-1.log", path("commitlog").string()));
  write(path("commitlog") / "CommitLog-7-1.log", "x");
  write(path("commitlog") / "archive/CommitLog-6-1.log", "x");
  run("stop-cassandra", R"({"drain":true})");
  EXPECT_THAT(files_below(path("commitlog")), testing::IsEmpty());
  EXPECT_TRUE(is_there(path("commitlog")));
}

TEST_F(NodeProcessTest, AStopThatFailsTouchesNothing) {
  record_calls_of("nodetool", "exit 1");
  write_script("stop", "echo no such unit\nexit 5");
  write(path("commitlog") / "CommitLog-7-1.log", "x");
  EXPECT_THAT(error_of("stop-cassandra", R"({"drain":true})"),
              AllOf(HasSubstr("stop"), HasSubstr("5"), HasSubstr("no such unit")));
  EXPECT_TRUE(is_there(path("commitlog") / "CommitLog-7-1.log"));
}

TEST_F(NodeProcessTest, StaysStoppedForAWhile) {
  const auto before = clock_.steady();
  run("stop-cassandra");
  EXPECT_GE(clock_.steady() - before, std::chrono::seconds{5});
}

TEST_F(NodeProcessTest, IsNotStoppedWhileAPortIsOpen) {
  const http::Server listener{{.port = 0, .spool_directory = directory_.path()}, {}};
  options_.jmx_port = listener.port();
  clock_.advance(std::chrono::days{100 * 365});  // the time for it is over
  EXPECT_THAT(
      error_of("stop-cassandra"),
      AllOf(HasSubstr("not stopped"), HasSubstr(fmt::format("the JMX port 127.0.0.1:{} is open", listener.port()))));
}

TEST_F(NodeProcessTest, PortsAreTriedWhereCassandraListens) {
  std::array<char, 256> name{};
  ASSERT_EQ(::gethostname(name.data(), name.size()), 0);
  clock_.advance(std::chrono::days{100 * 365});  // the time for it is over
  expect_open("storage port 127.0.0.1", "127.0.0.1", "listen_interface: lo\nstorage_port: {}");
  expect_open("storage port ::1", "::1",
              "listen_interface: lo\nlisten_interface_prefer_ipv6: true\nrpc_address: 127.0.0.1\nstorage_port: {}");
  expect_open(fmt::format("storage port {}", name.data()), ::cherax::cassandra::addresses_of(name.data()).front(),
              "listen_address:\nstorage_port: {}");
  expect_open("TLS native transport port 127.0.0.1", "127.0.0.1",
              "listen_address: 127.0.0.2\nrpc_address: 0.0.0.0\nnative_transport_port_ssl: {}\nstorage_port: 1");
}

TEST_F(NodeProcessTest, ThePortThatTheClientWasToldIsTriedToo) {
  const http::Server listener{{.port = 0, .spool_directory = directory_.path()}, {}};
  options_.client.port = listener.port();
  clock_.advance(std::chrono::days{100 * 365});  // the time for it is over
  EXPECT_THAT(error_of("stop-cassandra"),
              HasSubstr(fmt::format("the native transport port 127.0.0.1:{} is open", listener.port())));
}

TEST_F(NodeProcessTest, NothingIsStoppedWhereItIsNotKnownWhereCassandraListens) {
  record_calls_of("stop");
  edit_yaml(kAddresses, "listen_interface: none9\nstorage_port: 1");
  EXPECT_THAT(error_of("stop-cassandra"), AllOf(HasSubstr(path("cassandra.yaml").string()),
                                                HasSubstr("listen_interface none9"), HasSubstr("set listen_address")));
  EXPECT_EQ(calls(), "");
  EXPECT_THAT(error_of("stop-cassandra", R"({"cleared":true})"), HasSubstr("listen_interface none9"));
  EXPECT_EQ(calls(), "stop\n") << "what a restore has left half done must not run on";
}

}  // namespace
}  // namespace cherax::plugins::cassandra
