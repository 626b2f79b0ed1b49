#include "plugins/cassandra/restore_process.h"

#include "plugins/cassandra/restore_for_tests.h"

namespace cherax::plugins::cassandra {
namespace {

using namespace test;
using testing::AllOf;
using testing::HasSubstr;

using RestoreProcessTest = RestoreTest;

/// The rings that the nodes show, look by look; the last one stays.
class WaitUntilUpTest : public RestoreProcessTest {
 protected:
  WaitUntilUpTest() {
    answer("get-ring", [this](std::size_t node) {
      std::scoped_lock lock{mutex_};
      const auto look = std::min<std::size_t>(static_cast<std::size_t>(looks_[node]++), looks_of_.size() - 1);
      RingResult ring = ring_of(node, looks_of_[look]);
      ring.progress.final_ = true;
      return json::to_text(ring);
    });
    answer("start-cassandra", [](std::size_t) { return R"({"progress":{"final":true}})"; });
  }

  enum class Look { up, starting, ended, alone, other_tokens, denied, denied_beside_starting };
  static RingResult ring_of(std::size_t node, Look look) {
    RingResult ring;
    ring.alive = look != Look::ended || node != 1;
    ring.denied = node == 1 && (look == Look::denied || look == Look::denied_beside_starting);
    const bool starting = (look == Look::starting && node == 1) || (look == Look::denied_beside_starting && node == 2);
    ring.answers = ring.alive && !ring.denied && !starting;
    ring.why_not = "connection refused";
    ring.host_id = fmt::format("new-id-{}", node);
    ring.address = fmt::format("10.0.0.{}", node);
    ring.tokens = {look == Look::other_tokens && node == 1 ? "77" : std::to_string(node)};
    for (std::size_t other = 0; other < 3; ++other) {
      if (look == Look::alone && other != node) continue;
      ring.members.push_back(
          {fmt::format("10.0.0.{}", other), fmt::format("new-id-{}", other), "dc1", "r", "up", "normal"});
    }
    return ring;
  }
  void wait(std::vector<Look> looks, std::chrono::seconds timeout = 3600s) {
    {
      std::scoped_lock lock{mutex_};
      looks_of_ = std::move(looks);
      looks_ = {};
    }
    PluginOptions options;
    options.nodes = {{.host_id = "id-of-old"}, {}, {}};  // a restored node has a new one
    wait_until_up(restore(), {{"0"}, {"1"}, {"2"}}, options, timeout);
  }

  std::mutex mutex_;
  std::vector<Look> looks_of_;
  std::array<int, 3> looks_{};
};

TEST_F(WaitUntilUpTest, WaitsUntilAllNodesSeeEachOther) {
  wait({Look::starting, Look::alone, Look::alone, Look::up});
  EXPECT_EQ(looks_[0], 4);
  EXPECT_EQ(nodes_.count("POST /node/cassandra/start-cassandra"), 0);
}

TEST_F(WaitUntilUpTest, OtherTokensThanThoseOfTheBackupAreWrongForGood) {
  const auto error = error_of([&] { wait({Look::other_tokens, Look::up}); });
  EXPECT_EQ(error.kind(), ErrorKind::invalid);
  EXPECT_THAT(error.message(), HasSubstr(node_name(1) + " started with other tokens than those of the backup"));
}

TEST_F(WaitUntilUpTest, CredentialsThatTheBackupsRolesDoNotHaveAreRefusedForGood) {
  const auto error = error_of([&] { wait({Look::starting, Look::denied}); });
  EXPECT_EQ(error.kind(), ErrorKind::denied);
  EXPECT_THAT(error.message(), AllOf(HasSubstr(node_name(1) + " goes on refusing Cherax: connection refused"),
                                     HasSubstr("plugin_config.client")));
}

TEST_F(WaitUntilUpTest, ANodeThatDoesNotSeeTheOthersYetMayNotFindARole) {
  std::vector<Look> looks(60, Look::denied_beside_starting);
  looks.insert(looks.end(), 20, Look::denied);
  looks.push_back(Look::up);
  wait(looks);
  EXPECT_EQ(looks_[0], 81);
}

TEST_F(WaitUntilUpTest, SaysWhatWasStillWrongAtTheTimeout) {
  const auto error = error_of([&] { wait({Look::starting}, 60s); });
  EXPECT_EQ(error.kind(), ErrorKind::transient);
  EXPECT_THAT(error.message(), AllOf(HasSubstr("not so after 60 s"), HasSubstr("connection refused")));
  EXPECT_EQ(nodes_.count("POST /node/cassandra/start-cassandra"), 0) << "it is alive, only not yet up";
}

TEST_F(WaitUntilUpTest, ANodeThatHasEndedAtItsStartIsStartedAgainTwiceAtMost) {
  std::mutex mutex;
  std::vector<std::pair<std::size_t, json::value>> starts;
  nodes_.on("POST /node/cassandra/start-cassandra", [&](std::size_t node, const http::Request& request) {
    std::scoped_lock lock{mutex};
    starts.emplace_back(node, json::parse(request.body.text(10'000)).value().at("tokens"));
    return http::json_response(api::StartResult{1, request.url_of("/node/start-cassandra/1")});
  });
  EXPECT_EQ(error_of([&] { wait({Look::ended}, 600s); }).kind(), ErrorKind::transient);
  ASSERT_EQ(starts.size(), 2U);
  for (const auto& [node, tokens] : starts) {
    EXPECT_EQ(node, 1U);
    EXPECT_EQ(tokens, parse(R"(["1"])"));
  }
  starts.clear();
  std::vector<Look> looks(20, Look::ended);
  looks.push_back(Look::up);
  wait(looks);
  EXPECT_TRUE(starts.empty()) << "what has just begun may show nothing of itself for a while";
}

TEST_F(WaitUntilUpTest, EndsWhenTheOperationIsCancelled) {
  nodes_.on("POST /node/cassandra/get-ring", [this](std::size_t, const http::Request& request) {
    operation_.cancel("the lock is lost");
    return http::json_response(api::StartResult{1, request.url_of("/node/get-ring/1")});
  });
  const auto error = error_of([&] { wait({Look::starting}); });
  EXPECT_EQ(error.kind(), ErrorKind::cancelled);
  EXPECT_EQ(error.message(), "the lock is lost");
}

TEST_F(RestoreProcessTest, DrainsWhatItHasClearedItself) {
  EXPECT_TRUE(drain_request().drain);
  EXPECT_TRUE(drain_request().cleared);
}

TEST_F(RestoreProcessTest, AFailureLeavesTheNodesStoppedAndSaysHowToGoOn) {
  answer("stop-cassandra", [](std::size_t) { return R"({"progress":{"final":true}})"; });
  auto& restore = found_restore();
  const auto error =
      error_of([&] { leaving_nodes_stopped(restore, [] { fail(ErrorKind::corrupt, "a damaged object"); }); });
  EXPECT_EQ(error.kind(), ErrorKind::corrupt);
  EXPECT_EQ(nodes_.count("POST /node/cassandra/stop-cassandra"), 3);
  EXPECT_THAT(error.message(), AllOf(HasSubstr("a damaged object"), HasSubstr("<directory>" + suffix_of(restore)),
                                     HasSubstr("cherax restore --backup " + restore.backup().full() + " --overwrite")));
}

TEST_F(RestoreProcessTest, NodesThatCannotBeStoppedAreNotCleared) {
  answer("stop-cassandra", [](std::size_t node) { return node == 1 ? "" : R"({"progress":{"final":true}})"; });
  const auto error = error_of([&] { stop_all(found_restore()); });
  EXPECT_THAT(error.message(), AllOf(HasSubstr(node_name(1)), HasSubstr("Nothing was cleared")));
}

TEST_F(RestoreProcessTest, AStopThatWasAskedForLeavesTheNodesAsTheyAre) {
  answer("stop-cassandra", [](std::size_t) { return R"({"progress":{"final":true}})"; });
  auto& restore = found_restore();
  EXPECT_THROW(leaving_nodes_stopped(restore, [] { throw coordinator::PlanStopped{}; }), coordinator::PlanStopped);
  EXPECT_EQ(nodes_.count("POST /node/cassandra/stop-cassandra"), 0);
}

TEST_F(RestoreProcessTest, NodesThatCannotBeStoppedDoNotHideTheCause) {
  auto& restore = found_restore();
  const auto error = error_of([&] { leaving_nodes_stopped(restore, [] { fail(ErrorKind::denied, "the cause"); }); });
  EXPECT_THAT(error.message(), HasSubstr("the cause"));
}

}  // namespace
}  // namespace cherax::plugins::cassandra
