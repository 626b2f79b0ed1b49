#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cassandra/schema.h"
#include "coordinator/restore.h"
#include "plugins/cassandra/messages.h"

namespace cherax::plugins::cassandra {

/// Decides from what the nodes say when every view and index of a schema is there. Not thread-safe.
///
/// A node has "built" a view when it has sent the updates for its part of the table, not when they have arrived. An
/// update that another node did not take stays in a batch, which is sent again; one that fails again becomes a hint,
/// and the batch is removed. Hints are in memory until they are flushed to a file, and the file is removed when they
/// are delivered. So the updates have arrived when there was no batch and no such file for longer than a flush takes.
/// (org.apache.cassandra 5.0: StorageProxy.mutateMV, batchlog.BatchlogManager, hints.HintsService)
class BuildWatch {
 public:
  BuildWatch(const ::cherax::cassandra::Schema& schema, std::vector<std::string> node_names);

  bool has_views() const { return !views_.empty(); }
  bool has_anything() const { return has_views() || !indexes_.empty(); }
  /// What is still to wait for, in words; nullopt at the end. One answer a node, in their order.
  std::optional<std::string> look_for_views(const std::vector<BuildsResult>& nodes);
  /// For views, indexes and what is to be delivered. Some minutes after the last view was built is also an end: clients
  /// that write batches all the time must not keep a restore from it.
  std::optional<std::string> look_for_all(const std::vector<BuildsResult>& nodes, SteadyTime now);
  /// How much of what was looked for was there on how many nodes at the last look.
  const api::Progress& progress() const { return progress_; }

 private:
  std::optional<std::string> what_is_not_built(const std::vector<BuildsResult>& nodes, bool only_views);
  std::optional<std::string> what_is_not_delivered(const std::vector<BuildsResult>& nodes, SteadyTime now);

  const std::vector<std::string> node_names_;
  std::vector<std::string> views_, indexes_;  // keyspace.name
  api::Progress progress_;
  std::optional<SteadyTime> built_since_, quiet_since_;
};

/// To be called before any change of the schema: one that meets a view whose building has failed (it is tried again
/// every five minutes) is not taken by that node, and the nodes disagree for good. (View.stopBuild throws that failure
/// again.) Error{transient} after `poll.duration`.
void wait_until_views_are_built(coordinator::Restore& restore, const ::cherax::cassandra::Schema& schema);

/// Until each node has built every view and can query every index, and (for some minutes) until the updates of the
/// views were delivered. Error{transient} after `poll.duration`.
void wait_until_built(coordinator::Restore& restore, const ::cherax::cassandra::Schema& schema);

}  // namespace cherax::plugins::cassandra
