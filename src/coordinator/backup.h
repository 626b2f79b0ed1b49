#pragma once

#include <string_view>
#include <vector>

#include "coordinator/blocks.h"
#include "coordinator/cluster.h"
#include "coordinator/lock.h"
#include "coordinator/plan.h"
#include "repository/storages.h"

namespace cherax::coordinator {

/// What every operation of a plugin works with.
struct OperationContext {
  const Cluster& cluster;
  Operation& operation;
  Plan& plan;
  ClusterLock& lock;
  Clock& clock;
};

/// One attempt at a backup: the steps that all plugins share, called in this order from a plugin's own steps. When it
/// ends, however it does, the hard links that it took on the nodes are released. Used by the operation's thread.
class Backup {
 public:
  Backup(OperationContext context, repository::Repository& storage, std::int64_t attempt);
  ~Backup();
  Backup(const Backup&) = delete;
  Backup& operator=(const Backup&) = delete;

  Plan& plan() { return context_.plan; }
  const Cluster& cluster() const { return context_.cluster; }
  NodeCalls& nodes() { return nodes_; }
  Operation& operation() { return context_.operation; }
  Clock& clock() { return context_.clock; }

  /// Every node freezes and hashes the files of these groups.
  void snapshot(const std::vector<api::SnapshotGroup>& groups);
  /// Looks which of the contents object storage has.
  void find_missing();
  /// Each missing content is uploaded by one of the nodes that have it.
  void upload();
  /// The commit: extends every node's lock, makes sure that contents stored long ago are still there, and puts the
  /// manifest.
  void write_manifest(std::string_view plugin, json::value plugin_data);
  /// Gives the hard links back now instead of at the end.
  void release();

 private:
  void require_still_stored();

  OperationContext context_;
  repository::Repository& storage_;
  NodeCalls nodes_;
  std::int64_t attempt_;
  Timestamp start_;
  bool holds_links_ = false;
  std::vector<http::Body> snapshots_;  ///< each node's SnapshotResult, in node order
  std::vector<Block> blocks_;
  std::vector<api::UploadResult> uploads_;
};

}  // namespace cherax::coordinator
