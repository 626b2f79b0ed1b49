#include "plugins/cassandra/ring_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/fake_nodes.h"

namespace cherax::plugins::cassandra {
namespace {

using coordinator::Cluster;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::vector<Member> kMembers{{"10.0.0.1", "id-1", "dc1", "r1", "up", "normal"},
                                   {"10.0.0.2", "id-2", "dc1", "r2", "up", "normal"},
                                   {"10.0.0.3", "id-3", "dc1", "r3", "up", "normal"}};

RingResult ring_of(int number) {
  RingResult ring;
  ring.answers = ring.alive = true;
  ring.address = fmt::format("10.0.0.{}", number);
  ring.listen_address = fmt::format("192.168.0.{}", number);
  ring.host_id = fmt::format("id-{}", number);
  ring.datacenter = "dc1";
  ring.rack = fmt::format("r{}", number);
  ring.tokens = {fmt::format("{}", number), fmt::format("-{}", number)};
  ring.members = kMembers;
  return ring;
}

class RingChecksTest : public testing::Test {
 protected:
  RingChecksTest() {
    for (int number = 1; number <= 3; ++number) {
      nodes_.push_back({fmt::format("http://node{}:5515/node", number), ""});
      rings_.push_back(ring_of(number));
    }
    cluster_options_.nodes = nodes_;
  }

  void check() { check_ring(rings_, cluster_, options_); }
  Error error() {
    try {
      check();
    } catch (const Error& error) {
      return error;
    }
    return Error{ErrorKind::internal, "no error"};
  }
  /// As every node sees it.
  void for_all_views(const std::function<void(std::vector<Member>&)>& change) {
    for (auto& ring : rings_) change(ring.members);
  }

  std::vector<coordinator::NodeAddress> nodes_;
  coordinator::CoordinatorOptions cluster_options_;
  http::Client client_{{.spool_directory = "/tmp"}};
  Cluster cluster_{cluster_options_, client_};
  std::vector<RingResult> rings_;
  PluginOptions options_;
};

TEST_F(RingChecksTest, AcceptsExactlyTheConfiguredNodesUpAndNormal) { EXPECT_NO_THROW(check()); }

TEST_F(RingChecksTest, NamesTheNodeThatDoesNotAnswer) {
  rings_[1].answers = false;
  rings_[1].why_not = "connection refused";
  EXPECT_EQ(error().kind(), ErrorKind::transient);
  EXPECT_EQ(error().message(), "Cassandra on http://node2:5515 does not answer: connection refused");
}

TEST_F(RingChecksTest, ANodeThatIsNotUpAndNormalFailsItByAddressAndState) {
  for (const char* state : {"joining", "leaving", "moving"}) {
    rings_ = {ring_of(1), ring_of(2), ring_of(3)};
    for_all_views([&](auto& members) { members[2].state = state; });
    EXPECT_EQ(error().kind(), ErrorKind::transient);
    EXPECT_THAT(error().message(), AllOf(HasSubstr("10.0.0.3"), HasSubstr(state)));
  }
  rings_ = {ring_of(1), ring_of(2), ring_of(3)};
  rings_[0].members[1].liveness = "down";
  EXPECT_EQ(error().kind(), ErrorKind::transient);
  EXPECT_THAT(error().message(), AllOf(HasSubstr("10.0.0.2"), HasSubstr("down"), HasSubstr("http://node1:5515"),
                                       Not(HasSubstr("http://node3:5515"))))
      << "only one node sees it so";
  for (const char* unknown : {"?", "", "UP"}) {
    rings_ = {ring_of(1), ring_of(2), ring_of(3)};
    rings_[2].members[0].liveness = unknown;
    EXPECT_NE(error().message(), "no error") << unknown;
    rings_ = {ring_of(1), ring_of(2), ring_of(3)};
    rings_[2].members[0].state = unknown;
    EXPECT_NE(error().message(), "no error") << unknown;
  }
}

TEST_F(RingChecksTest, AMemberThatIsNotConfiguredIsWrongForGood) {
  for_all_views([](auto& members) { members.push_back({"10.0.0.4", "id-4", "dc1", "r1", "up", "normal"}); });
  EXPECT_EQ(error().kind(), ErrorKind::invalid);
  EXPECT_THAT(error().message(), HasSubstr("10.0.0.4"));
}

TEST_F(RingChecksTest, AConfiguredNodeThatOneNodeDoesNotSeeIsNamed) {
  rings_[2].members.erase(rings_[2].members.begin());
  EXPECT_THAT(error().message(), AllOf(HasSubstr("http://node1:5515"), HasSubstr("http://node3:5515")));
}

TEST_F(RingChecksTest, OneCassandraThatIsConfiguredTwiceIsNoRing) {
  rings_[1] = ring_of(1);
  EXPECT_NE(error().message(), "no error");
}

TEST_F(RingChecksTest, LooksAtTheDatacenterAlone) {
  for_all_views([](auto& members) {
    members.push_back({"10.1.0.1", "id-7", "dc2", "r1", "down", "normal"});
    members.push_back({"10.1.0.2", "id-8", "dc2", "r1", "up", "leaving"});
  });
  EXPECT_NE(error().message(), "no error");
  options_.datacenter = "dc1";
  EXPECT_NO_THROW(check());
  options_.datacenter = "dc2";
  EXPECT_NE(error().message(), "no error");
}

TEST_F(RingChecksTest, ANodeMustBeTheOneThatIsConfigured) {
  const auto error_with = [&](const ConfiguredNode& second) {
    options_.nodes = std::vector{ConfiguredNode{}, second, ConfiguredNode{}};
    return error().message();
  };
  const std::string by_number =
      "plugin_config.nodes says that the {} of http://node2:5515 is {}, but its Cassandra says {}";
  EXPECT_EQ(error_with({.address = "10.0.0.9"}),
            fmt::format(fmt::runtime(by_number), "address", "10.0.0.9", "10.0.0.2"));
  EXPECT_EQ(error_with({.host_id = "id-3"}), fmt::format(fmt::runtime(by_number), "host_id", "id-3", "id-2"));
  EXPECT_EQ(error_with({.listen_address = "10.0.0.2"}),
            fmt::format(fmt::runtime(by_number), "listen_address", "10.0.0.2", "192.168.0.2"));
  EXPECT_EQ(error_with({.tokens = {{"2"}}}),
            "plugin_config.nodes gives http://node2:5515 other tokens than its Cassandra has");
  EXPECT_EQ(
      error_with({.address = "10.0.0.2", .host_id = "id-2", .listen_address = "192.168.0.2", .tokens = {{"-2", "2"}}}),
      "no error")
      << "tokens have no order";
}

TEST_F(RingChecksTest, HostIdsAndTokensMustStayTheSame) {
  const auto before = rings_;
  std::ranges::reverse(rings_[0].tokens);
  EXPECT_NO_THROW(require_same_ring(before, rings_, cluster_));
  const auto error_of = [&] {
    try {
      require_same_ring(before, rings_, cluster_);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::transient);
      return error.message();
    }
    return std::string{"no error"};
  };
  rings_[1].tokens.push_back("7");
  EXPECT_EQ(error_of(), "host id or tokens of http://node2:5515 changed during the snapshot");
  rings_ = before;
  rings_[2].host_id = "id-9";
  EXPECT_EQ(error_of(), "host id or tokens of http://node3:5515 changed during the snapshot");
}

/// With nodes that answer over HTTP.
class AskedNodesTest : public testing::Test {
 protected:
  void answer(const std::string& operation, const std::function<std::string(std::size_t)>& result) {
    nodes_.on("POST /node/cassandra/" + operation, [](std::size_t, const http::Request& request) {
      return http::json_response(api::StartResult{1, request.url_of("/node/result/1")});
    });
    nodes_.on("GET /node/result/1",
              [result](std::size_t node, const http::Request&) { return http::Response::json(result(node)); });
  }

  coordinator::Operation operation_{1, "backup", "http://127.0.0.1:1"};
  coordinator::FakeNodes nodes_{3};
  Cluster cluster_{nodes_.options, nodes_.client};
  coordinator::NodeCalls calls_{cluster_, operation_};
};

TEST_F(AskedNodesTest, AgreeOnTheSchemaOrAreNamedByTheirHash) {
  answer("get-schema-hash", [](std::size_t) { return R"({"schema_hash":"abc","progress":{"final":true}})"; });
  EXPECT_EQ(require_one_schema_hash(calls_, cluster_), "abc");
  answer("get-schema-hash", [](std::size_t node) {
    return fmt::format(R"({{"schema_hash":"{}","progress":{{"final":true}}}})", node == 1 ? "def" : "abc");
  });
  try {
    require_one_schema_hash(calls_, cluster_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::transient);
    EXPECT_EQ(error.message(), fmt::format("the nodes do not agree on the schema: abc on {}, {}; def on {}",
                                           cluster_.name(0), cluster_.name(2), cluster_.name(1)));
  }
}

TEST_F(AskedNodesTest, AreTheRingThatIsConfigured) {
  answer("get-ring", [](std::size_t node) {
    RingResult ring = ring_of(static_cast<int>(node) + 1);
    ring.progress.final_ = true;
    return json::to_text(ring);
  });
  const auto rings = require_ring(calls_, cluster_, {});
  ASSERT_EQ(rings.size(), 3U);
  EXPECT_EQ(rings[2].host_id, "id-3");
  EXPECT_EQ(rings[2].members, kMembers);
  PluginOptions two_nodes;
  two_nodes.nodes.emplace(2);
  EXPECT_THROW(require_ring(calls_, cluster_, two_nodes), Error);
}

}  // namespace
}  // namespace cherax::plugins::cassandra
