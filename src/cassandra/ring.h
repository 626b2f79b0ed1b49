#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

/// The ring as each node sees it, against the ring as it is configured. Pure. CQL does not show whether a node is up,
/// joining, leaving or moving; `nodetool status` does.
namespace cherax::cassandra {

enum class Liveness { up, down, unknown };
enum class NodeState { normal, leaving, joining, moving, unknown };

/// `up and joining`, `down`
std::string to_string(Liveness liveness, NodeState state);

struct RingMember {
  std::string address;
  std::string host_id;  ///< empty: not known yet
  std::string datacenter;
  std::string rack;
  Liveness liveness = Liveness::unknown;
  NodeState state = NodeState::unknown;
  bool operator==(const RingMember&) const = default;
};

/// The members in what `nodetool status` of Cassandra 4.0 to 5.0 prints; other lines (warnings of the JVM) are passed
/// over. Error{corrupt} when no member is found or a line of one cannot be read.
Result<std::vector<RingMember>> parse_nodetool_status(std::string_view output);

struct ConfiguredNode {
  std::string name;  ///< for messages
  std::string host_id;
  std::string address;
};

struct RingView {
  std::string viewer;  ///< name of the node whose view it is
  std::vector<RingMember> members;
};

/// In every view the members (of `datacenter`, if given) are exactly the configured nodes by host id, each up and
/// normal. Otherwise an Error with every deviation, by address and state, and the nodes that see it: {transient} when
/// the states are all that is wrong (a node is down, joining, leaving or moving), {invalid} when the members are not
/// those configured.
void require_configured_ring(const std::vector<ConfiguredNode>& configured, const std::vector<RingView>& views,
                             const std::optional<std::string>& datacenter);

}  // namespace cherax::cassandra
