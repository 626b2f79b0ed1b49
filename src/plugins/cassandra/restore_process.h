#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "coordinator/restore.h"
#include "plugins/cassandra/messages.h"
#include "plugins/cassandra/options.h"
#include "plugins/cassandra/restore_checks.h"

/// How a restore starts and stops Cassandra on all nodes.
namespace cherax::plugins::cassandra {

/// Starts every node with its tokens.
void start(coordinator::Restore& restore, const TokensOfNodes& tokens);
/// Until every node sees all nodes up and normal and has its tokens. A node that ends at its start is started again,
/// twice at most. Returns the last look. Error{transient} at the time-out, with what was still wrong; Error{denied}
/// when one goes on refusing Cherax.
std::vector<RingResult> wait_until_up(coordinator::Restore& restore, const TokensOfNodes& tokens,
                                      const PluginOptions& options, std::chrono::seconds timeout);

StopRequest drain_request();
/// Stops every node. When that fails nothing was cleared, and the error says so.
void stop_all(coordinator::Restore& restore);
/// Runs the steps from the clearing on. When they fail the nodes are left stopped, and the error says where the old
/// data is and how to go on.
void leaving_nodes_stopped(coordinator::Restore& restore, const std::function<void()>& steps);

}  // namespace cherax::plugins::cassandra
