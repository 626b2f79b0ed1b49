#include "cassandra/ring.h"

#include <gtest/gtest.h>

namespace cherax::cassandra {
namespace {

constexpr const char* kId1 = "3536b157-006a-4218-897e-e3472a811716";
constexpr const char* kId2 = "92e953f6-9a0d-4194-855c-3bac29927374";
constexpr const char* kId3 = "178b39d6-f484-443a-85f8-373a54e203f3";

/// As Cassandra 5.0.9 printed it, with a node joining and one stopped.
constexpr std::string_view kStatus = R"(Picked up JAVA_TOOL_OPTIONS: -Dx=y
Datacenter: dc1
===============
Status=Up/Down
|/ State=Normal/Leaving/Joining/Moving
--  Address    Load        Tokens  Owns  Host ID                               Rack
UN  127.0.7.2  136.47 KiB  4       ?     92e953f6-9a0d-4194-855c-3bac29927374  r2  
UN  127.0.7.1  136.47 KiB  4       ?     3536b157-006a-4218-897e-e3472a811716  r1  
UJ  127.0.7.4  30.88 KiB   4       ?     bf7bbd79-f1d3-4a1f-849c-dacbc92e18b7  r3  
DN  127.0.7.3  175.23 KiB  4       ?     178b39d6-f484-443a-85f8-373a54e203f3  r3  

Note: Non-system keyspaces don't have the same replication settings, effective ownership information is meaningless
)";

TEST(Ring, ReadsNodetoolStatus) {
  const auto members = parse_nodetool_status(kStatus).value();
  ASSERT_EQ(members.size(), 4u);
  EXPECT_EQ(members[0], (RingMember{"127.0.7.2", kId2, "dc1", "r2", Liveness::up, NodeState::normal}));
  EXPECT_EQ(members[2], (RingMember{"127.0.7.4", "bf7bbd79-f1d3-4a1f-849c-dacbc92e18b7", "dc1", "r3", Liveness::up,
                                    NodeState::joining}));
  EXPECT_EQ(members[3], (RingMember{"127.0.7.3", kId3, "dc1", "r3", Liveness::down, NodeState::normal}));
}

TEST(Ring, ReadsOtherLayouts) {
  const auto one = parse_nodetool_status(
                       "Datacenter: two words\n--  Address  Load  Tokens  Owns (effective)  Host ID  Rack\n"
                       "?L  2001:db8::1  ?  16  100.0%  3536b157-006a-4218-897e-e3472a811716  rack one\n")
                       .value();
  EXPECT_EQ(one.at(0),
            (RingMember{"2001:db8::1", kId1, "two words", "rack one", Liveness::unknown, NodeState::leaving}));
  const auto unknown = parse_nodetool_status("Datacenter: d\nUM  10.0.0.1  1.2 MiB  16  ?  null  r\n").value();
  EXPECT_EQ(unknown.at(0), (RingMember{"10.0.0.1", "", "d", "r", Liveness::up, NodeState::moving}));
}

/// As Cassandra 4.1.10 printed it with one token a node.
TEST(Ring, ReadsNodetoolStatusWithOneTokenANode) {
  const auto members = parse_nodetool_status(R"(Datacenter: dc1
===============
Status=Up/Down
|/ State=Normal/Leaving/Joining/Moving
--  Address    Load     Owns (effective)  Host ID                               Token                 Rack
UN  127.0.7.1  104 KiB  100.0%            3536b157-006a-4218-897e-e3472a811716  -9223372036854775807  r1  
)")
                           .value();
  ASSERT_EQ(members.size(), 1u);
  EXPECT_EQ(members[0], (RingMember{"127.0.7.1", kId1, "dc1", "r1", Liveness::up, NodeState::normal}));
}

TEST(Ring, StatusWithoutNodesIsCorrupt) {
  EXPECT_EQ(parse_nodetool_status("nodetool: Failed to connect\n").error().kind(), ErrorKind::corrupt);
  EXPECT_FALSE(parse_nodetool_status(""));
  EXPECT_FALSE(parse_nodetool_status("UN  127.0.0.1\n"));
}

std::vector<ConfiguredNode> configured() { return {{"node1", kId1, "127.0.7.1"}, {"node2", kId2, "127.0.7.2"}}; }

RingMember member(const std::string& address, const std::string& id) {
  return {address, id, "dc1", "r1", Liveness::up, NodeState::normal};
}

std::vector<RingMember> whole() { return {member("127.0.7.1", kId1), member("127.0.7.2", kId2)}; }

/// The Error, or nothing.
std::optional<Error> check(const std::vector<RingView>& views,
                           const std::optional<std::string>& datacenter = std::nullopt) {
  try {
    require_configured_ring(configured(), views, datacenter);
    return std::nullopt;
  } catch (const Error& error) {
    return error;
  }
}

TEST(Ring, ExactlyTheConfiguredNodesUpAndNormalIsFine) {
  EXPECT_FALSE(check({{"node1", whole()}, {"node2", whole()}}));
}

TEST(Ring, NodeInAnyOtherStateIsNamedWithAddressStateAndViewer) {
  auto members = whole();
  members[1].liveness = Liveness::down;
  const auto error = check({{"node1", members}, {"node2", whole()}});
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::transient);
  EXPECT_EQ(error->message(), "the ring is not what is configured: 127.0.7.2 is down (seen by node1)");
}

TEST(Ring, JoiningNodeThatIsNotConfiguredMayPass) {
  auto members = whole();
  members.push_back({"127.0.7.9", "", "dc1", "r1", Liveness::up, NodeState::joining});
  const auto error = check({{"node1", members}, {"node2", members}});
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::transient);
  EXPECT_EQ(error->message(), "the ring is not what is configured: 127.0.7.9 is up and joining (seen by node1, node2)");
}

TEST(Ring, OtherMembersThanConfiguredAreInvalid) {
  auto members = whole();
  members.push_back(member("127.0.7.3", kId3));
  EXPECT_EQ(check({{"node1", members}})->kind(), ErrorKind::invalid);
  EXPECT_EQ(check({{"node1", {whole()[0]}}})->kind(), ErrorKind::invalid);
  EXPECT_EQ(check({{"node1", {whole()[0], whole()[1], whole()[1]}}})->kind(), ErrorKind::invalid);
}

TEST(Ring, OtherDatacentersDoNotCountWhenOneIsGiven) {
  auto members = whole();
  members.push_back(member("127.0.8.1", kId3));
  members[2].datacenter = "dc2";
  EXPECT_FALSE(check({{"node1", members}}, "dc1"));
  EXPECT_TRUE(check({{"node1", members}}));
  EXPECT_TRUE(check({{"node1", members}}, "dc2"));
}

}  // namespace
}  // namespace cherax::cassandra
