#include "plugins/cassandra/ring_checks.h"

#include <algorithm>
#include <map>

#include "cassandra/ring.h"

namespace cherax::plugins::cassandra {

namespace lib = ::cherax::cassandra;

namespace {

lib::Liveness liveness_of(const std::string& text) {
  if (text == "up") return lib::Liveness::up;
  return text == "down" ? lib::Liveness::down : lib::Liveness::unknown;
}

lib::NodeState state_of(const std::string& text) {
  static const std::map<std::string_view, lib::NodeState> kStates{{"normal", lib::NodeState::normal},
                                                                  {"leaving", lib::NodeState::leaving},
                                                                  {"joining", lib::NodeState::joining},
                                                                  {"moving", lib::NodeState::moving}};
  const auto found = kStates.find(text);
  return found == kStates.end() ? lib::NodeState::unknown : found->second;
}

/// The node is the one that plugin_config.nodes means.
void require_identity(const ConfiguredNode& configured, const RingResult& ring, const std::string& name) {
  const auto require = [&](const char* what, const std::optional<std::string>& expected, const std::string& found) {
    if (expected && *expected != found) {
      fail(ErrorKind::invalid, "plugin_config.nodes says that the {} of {} is {}, but its Cassandra says {}", what,
           name, *expected, found);
    }
  };
  require("address", configured.address, ring.address);
  require("host_id", configured.host_id, ring.host_id);
  require("listen_address", configured.listen_address, ring.listen_address);
  if (configured.tokens && !same_tokens(*configured.tokens, ring.tokens)) {
    fail(ErrorKind::invalid, "plugin_config.nodes gives {} other tokens than its Cassandra has", name);
  }
}

}  // namespace

bool same_tokens(std::vector<std::string> left, std::vector<std::string> right) {
  std::ranges::sort(left);
  std::ranges::sort(right);
  return left == right;
}

void check_ring(const std::vector<RingResult>& rings, const coordinator::Cluster& cluster,
                const PluginOptions& options) {
  std::vector<lib::ConfiguredNode> configured;
  std::vector<lib::RingView> views;
  for (std::size_t node = 0; node < rings.size(); ++node) {
    const RingResult& ring = rings[node];
    if (!ring.answers)
      fail(ErrorKind::transient, "Cassandra on {} does not answer: {}", cluster.name(node), ring.why_not);
    if (options.nodes && node < options.nodes->size())
      require_identity((*options.nodes)[node], ring, cluster.name(node));
    configured.push_back({cluster.name(node), ring.host_id, ring.address});
    lib::RingView view{cluster.name(node), {}};
    for (const Member& member : ring.members) {
      view.members.push_back({member.address, member.host_id, member.datacenter, member.rack,
                              liveness_of(member.liveness), state_of(member.state)});
    }
    views.push_back(std::move(view));
  }
  lib::require_configured_ring(configured, views, options.datacenter);
}

std::vector<RingResult> require_ring(coordinator::NodeCalls& nodes, const coordinator::Cluster& cluster,
                                     const PluginOptions& options) {
  if (options.nodes && options.nodes->size() != cluster.size()) {
    fail(ErrorKind::invalid, "plugin_config.nodes has {} entries, coordinator.nodes {}", options.nodes->size(),
         cluster.size());
  }
  auto rings = read_results<RingResult>(nodes.all("cassandra/get-ring", api::NodeRequest{}));
  check_ring(rings, cluster, options);
  return rings;
}

std::string require_one_schema_hash(coordinator::NodeCalls& nodes, const coordinator::Cluster& cluster) {
  const auto results = read_results<SchemaHashResult>(nodes.all("cassandra/get-schema-hash", api::NodeRequest{}));
  std::map<std::string, std::string> nodes_of;
  for (std::size_t node = 0; node < results.size(); ++node) {
    std::string& names = nodes_of[results[node].schema_hash];
    names += (names.empty() ? "" : ", ") + cluster.name(node);
  }
  if (nodes_of.size() == 1) return nodes_of.begin()->first;
  std::string text;
  for (const auto& [hash, names] : nodes_of) text += fmt::format("{}{} on {}", text.empty() ? "" : "; ", hash, names);
  fail(ErrorKind::transient, "the nodes do not agree on the schema: {}", text);
}

void require_same_ring(const std::vector<RingResult>& before, const std::vector<RingResult>& now,
                       const coordinator::Cluster& cluster) {
  for (std::size_t node = 0; node < before.size(); ++node) {
    if (before[node].host_id == now[node].host_id && same_tokens(before[node].tokens, now[node].tokens)) continue;
    fail(ErrorKind::transient, "host id or tokens of {} changed during the snapshot", cluster.name(node));
  }
}

}  // namespace cherax::plugins::cassandra
