#include "coordinator/cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "coordinator/fake_nodes.h"

namespace cherax::coordinator {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Cluster, AsksAllNodesAtATime) {
  std::atomic<int> asked{0};
  std::promise<void> all_asked;
  const auto all = all_asked.get_future().share();
  FakeNodes nodes{3};
  nodes.on("GET /node/metadata", [&](std::size_t, const http::Request&) {
    if (++asked == 3) all_asked.set_value();
    all.wait();
    return http::Response::json("{}");
  });
  const Cluster cluster{nodes.options, nodes.client};
  for (const auto& answer : cluster.ask_all("GET", "metadata")) {
    EXPECT_TRUE(answer.has_value()) << "it waited for an answer before it asked the next one";
  }
}

class NodeCallsTest : public testing::Test {
 protected:
  NodeCallsTest() {
    nodes_.on("POST /node/snapshot", [](std::size_t, const http::Request& request) {
      return http::json_response(api::StartResult{7, request.url_of("/node/snapshot/7")});
    });
  }

  void answer(const std::string& text) {
    nodes_.on("GET /node/snapshot/7", [text](std::size_t, const http::Request&) { return http::Response::json(text); });
  }
  std::vector<http::Body> run() {
    return calls_.all("snapshot", api::NodeRequest{}, [this](const api::Progress& progress) { seen_ = progress; });
  }
  std::string error_of_run() {
    try {
      run();
    } catch (const Error& error) {
      return error.message();
    }
    return "no error";
  }

  Operation operation_{1, "backup", "http://127.0.0.1:1"};
  FakeNodes nodes_{3};  // its handlers use the operation, and may outlive a cancelled request
  Cluster cluster_{nodes_.options, nodes_.client};
  NodeCalls calls_{cluster_, operation_};
  api::Progress seen_;
};

TEST_F(NodeCallsTest, StartsAllNodesAndHandsOutTheirResults) {
  nodes_.on("GET /node/snapshot/7", [](std::size_t node, const http::Request&) {
    return http::Response::json(
        fmt::format(R"({{"hostname":"n{}","progress":{{"handled":2,"total":2,"final":true}}}})", node));
  });
  const auto results = run();
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(read_result<api::NodeResult>(results[2]).hostname, "n2");
  EXPECT_EQ(seen_.handled, 6);
}

TEST_F(NodeCallsTest, TakesAstacusShortestResult) {
  answer(R"({"progress":{"final":true}})");
  EXPECT_EQ(run().size(), 3U);
}

TEST_F(NodeCallsTest, PollsUntilEveryNodeIsDone) {
  std::atomic<int> polls{0};
  nodes_.on("GET /node/snapshot/7", [&](std::size_t node, const http::Request&) {
    const bool final = node != 1 || ++polls >= 4;
    return http::Response::json(fmt::format(R"({{"progress":{{"handled":1,"total":1,"final":{}}}}})", final));
  });
  run();
  EXPECT_EQ(polls, 4);
}

TEST_F(NodeCallsTest, PollsGrowApartUpToTheLongestDelay) {
  nodes_.options.poll = {};
  std::atomic<int> polls{0};
  nodes_.on("GET /node/snapshot/7", [&](std::size_t node, const http::Request&) {
    const bool final = node != 1 || ++polls >= 11;
    return http::Response::json(fmt::format(R"({{"progress":{{"final":{}}}}})", final));
  });
  std::vector<Duration> waits;
  NodeCalls calls{cluster_, operation_, [&](Duration duration) {
                    waits.push_back(duration);
                    // A node that calls does not make the polls of the others rarer.
                    return waits.size() == 2 || waits.size() == 3 ? std::set<std::size_t>{1} : std::set<std::size_t>{};
                  }};
  calls.all("snapshot", api::NodeRequest{});
  EXPECT_THAT(waits, ElementsAre(1s, 2s, 2s, 2s, 4s, 8s, 16s, 32s, 60s, 60s));
}

TEST_F(NodeCallsTest, ANodesCallbackIsAsGoodAsTheNextPoll) {
  nodes_.options.poll.delay_start = nodes_.options.poll.delay_max = std::chrono::hours{1};
  std::atomic<int> polls{0};
  nodes_.on("GET /node/snapshot/7", [&](std::size_t node, const http::Request&) {
    const bool final = node != 1 || ++polls >= 2;
    if (!final) operation_.wake(1);
    return http::Response::json(fmt::format(R"({{"progress":{{"final":{}}}}})", final));
  });
  run();
  EXPECT_EQ(polls, 2);
  EXPECT_EQ(nodes_.count("GET /node/snapshot/7"), 4) << "only the node that called is asked again";
}

TEST_F(NodeCallsTest, AFailureNamesTheNodeAndItsWords) {
  nodes_.on("GET /node/snapshot/7", [](std::size_t node, const http::Request&) {
    return http::Response::json(node == 1 ? R"({"progress":{"failed":1,"final":true},"error":"disk full"})"
                                          : R"({"progress":{"final":true}})");
  });
  EXPECT_EQ(error_of_run(), fmt::format("snapshot on {} failed: disk full", cluster_.name(1)));
}

TEST_F(NodeCallsTest, UnfinishedWorkIsAFailureToo) {
  answer(R"({"progress":{"handled":1,"total":2,"final":true}})");
  EXPECT_THAT(error_of_run(), HasSubstr("1 of 2 done, 0 failed"));
}

TEST_F(NodeCallsTest, ToleratesSomeBadAnswersInARowAndNoMore) {
  std::atomic<int> polls{0};
  nodes_.on("GET /node/snapshot/7", [&](std::size_t node, const http::Request&) {
    if (node == 0 && ++polls <= 4) return http::Response::plain_text("<html>", 200);
    return http::Response::json(R"({"progress":{"final":true}})");
  });
  EXPECT_EQ(error_of_run(), "no error");
  answer("garbage");
  EXPECT_THAT(error_of_run(), HasSubstr("5 bad answers in a row about its snapshot"));
}

TEST_F(NodeCallsTest, ARefusalToStartIsToldWithTheNodesWords) {
  nodes_.on("POST /node/snapshot", [](std::size_t node, const http::Request& request) {
    if (node == 2) return http::Response::json(R"({"detail":"Not locked"})", 409);
    return http::json_response(api::StartResult{7, request.url_of("/node/snapshot/7")});
  });
  EXPECT_EQ(error_of_run(), fmt::format("{} could not start snapshot: status 409: Not locked", cluster_.name(2)));
}

TEST_F(NodeCallsTest, ANodeThatIsDownIsNamed) {
  nodes_.stop(1);
  EXPECT_THAT(error_of_run(), HasSubstr(cluster_.name(1) + " could not start snapshot"));
}

TEST_F(NodeCallsTest, EndsWithTheReasonWhenItIsCancelled) {
  answer(R"({"progress":{"handled":0,"total":1}})");
  nodes_.on("GET /node/snapshot/7", [&](std::size_t, const http::Request&) {
    operation_.cancel("the cluster lock is lost");
    return http::Response::json(R"({"progress":{"handled":0,"total":1}})");
  });
  EXPECT_EQ(error_of_run(), "the cluster lock is lost");
}

}  // namespace
}  // namespace cherax::coordinator
