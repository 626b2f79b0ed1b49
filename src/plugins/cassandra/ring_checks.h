#pragma once

#include <vector>

#include "coordinator/cluster.h"
#include "plugins/cassandra/messages.h"
#include "plugins/cassandra/options.h"

/// What is required of the nodes as a whole. All ask every node and throw an Error that names the nodes that differ.
namespace cherax::plugins::cassandra {

/// In whatever order.
bool same_tokens(std::vector<std::string> left, std::vector<std::string> right);

/// Every node's Cassandra answers, is the one that is configured, and sees exactly the configured nodes (of
/// `datacenter`), each up and normal.
std::vector<RingResult> require_ring(coordinator::NodeCalls& nodes, const coordinator::Cluster& cluster,
                                     const PluginOptions& options);

/// Throws unless these are such a ring; `rings` in node order.
void check_ring(const std::vector<RingResult>& rings, const coordinator::Cluster& cluster,
                const PluginOptions& options);

/// The one schema version that all nodes have.
std::string require_one_schema_hash(coordinator::NodeCalls& nodes, const coordinator::Cluster& cluster);

/// Host ids and tokens are those of `before`.
void require_same_ring(const std::vector<RingResult>& before, const std::vector<RingResult>& now,
                       const coordinator::Cluster& cluster);

template <class Result>
std::vector<Result> read_results(const std::vector<http::Body>& bodies) {
  std::vector<Result> results;
  for (const auto& body : bodies) results.push_back(coordinator::read_result<Result>(body));
  return results;
}

}  // namespace cherax::plugins::cassandra
