#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "coordinator/backup.h"

namespace cherax::coordinator {

/// For each node the index of its snapshot in the backup; nullopt: none.
using NodeMapping = std::vector<std::optional<std::size_t>>;

/// A restore: the steps that all plugins share, called in this order from a plugin's own steps. Used by the operation's
/// thread.
class Restore {
 public:
  Restore(OperationContext context, repository::Repository& storage, const api::RestoreRequest& request);

  Plan& plan() { return context_.plan; }
  const Cluster& cluster() const { return context_.cluster; }
  NodeCalls& nodes() { return nodes_; }
  Operation& operation() { return context_.operation; }
  Clock& clock() { return context_.clock; }
  const api::RestoreRequest& request() const { return request_; }
  std::int64_t attempts() const { return context_.cluster.options().restore_attempts; }

  /// The backup that was asked for, or the latest. Error{not_found} names what there is.
  void find_backup();
  const repository::BackupName& backup() const { return backup_.value(); }
  /// Fetches and checks the manifest. Error{invalid} when another plugin made the backup.
  const repository::Manifest& read_manifest(std::string_view plugin);
  const repository::Manifest& manifest() const { return manifest_.value(); }

  /// By availability zone, each zone whole to a zone; or as `partial_restore_nodes` says. Error{invalid} when there are
  /// too few nodes.
  NodeMapping map_nodes_by_az() const;

  struct Selection {
    std::vector<std::string> globs;           ///< only what matches; empty: everything in the backup
    std::vector<std::string> excluded_globs;  ///< but not this
  };
  /// Asks every node whether it has the space for it, before one of them changes anything.
  void require_space(const NodeMapping& mapping);
  /// Every node downloads what its snapshot in the backup holds; what matches the globs and is not in it is removed. A
  /// node without a snapshot is emptied, but not in a partial restore.
  void download(const NodeMapping& mapping, const Selection& selection = {});

 private:
  NodeMapping partial_mapping() const;
  api::DownloadRequest download_request(std::size_t node, std::size_t index, const Selection& selection) const;
  std::vector<std::string> globs_of(std::size_t index, const Selection& selection) const;

  OperationContext context_;
  repository::Repository& storage_;
  api::RestoreRequest request_;
  NodeCalls nodes_;
  std::optional<repository::BackupName> backup_;
  std::optional<repository::Manifest> manifest_;
};

}  // namespace cherax::coordinator
