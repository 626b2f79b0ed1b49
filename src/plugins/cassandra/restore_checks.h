#pragma once

#include <functional>
#include <string>
#include <vector>

#include "coordinator/restore.h"
#include "plugins/cassandra/messages.h"
#include "plugins/cassandra/options.h"
#include "plugins/cassandra/plugin_data.h"

/// The parts of a restore that are not the order of its steps.
namespace cherax::plugins::cassandra {

/// Asks every node for its configuration. Error{invalid} when a seed is no node of this restore (a restored node must
/// never join another ring), when cluster names differ, or a node keeps its data elsewhere than node.root says.
std::vector<ConfigurationResult> require_own_seeds(coordinator::Restore& restore);

/// Error{invalid} when a node allows backups only, or has a mount point that cannot be set aside, or when it holds user
/// tables, unless the operator said that it may be overwritten or the tables are those of an earlier attempt at the
/// same restore; or when what such an attempt has set aside would get into the way of what has come since.
void require_clearable(const coordinator::Restore& restore, const std::vector<ConfigurationResult>& targets,
                       const PluginOptions& options);

/// Error{corrupt} when the manifest's plugin_data is not as docs/format.md says.
PluginData parse_plugin_data(const repository::Manifest& manifest);

/// By datacenter and rack. Error{invalid} names the rack or datacenter that lacks room, or the nodes left over.
coordinator::NodeMapping map_nodes(const coordinator::Restore& restore, const PluginData& data,
                                   const std::vector<ConfigurationResult>& targets, const PluginOptions& options);

/// Error{invalid} for a node whose own configuration has another num_tokens than the backed-up node has tokens: after
/// the restore Cassandra would not start with it.
void require_token_counts(const coordinator::Restore& restore, const PluginData& data,
                          const coordinator::NodeMapping& mapping, const std::vector<ConfigurationResult>& targets);

/// With the racks that the nodes turned out to be in: Error{invalid} when replicas would not be where replication looks
/// for them.
void require_racks_kept(const coordinator::Restore& restore, const PluginData& data,
                        const coordinator::NodeMapping& mapping, const std::vector<RingResult>& rings);

/// Error{invalid} with the numbers when the backup does not fit a node, before anything is touched.
void require_space(const coordinator::Restore& restore, const coordinator::NodeMapping& mapping,
                   const std::vector<ConfigurationResult>& targets);

using TokensOfNodes = std::vector<std::vector<std::string>>;  ///< in node order
TokensOfNodes tokens_of(const coordinator::NodeMapping& mapping, const PluginData& data);

/// What directories are called while a restore has set them aside.
std::string suffix_of(const coordinator::Restore& restore);
ClearRequest clear_request(const coordinator::Restore& restore);
FinishRequest finish_request(const coordinator::Restore& restore);
PlaceRequest only_roles();
PlaceRequest all_but_system();

/// The files of system_auth alone.
coordinator::Restore::Selection roles_selection();
/// All but what Cassandra makes by itself (its own keyspaces) or builds from the data (views, indexes). The roles once
/// more: creating the schema has granted rights to its creator.
coordinator::Restore::Selection data_selection(const ::cherax::cassandra::Schema& schema);

}  // namespace cherax::plugins::cassandra
