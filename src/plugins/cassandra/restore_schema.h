#pragma once

#include "cassandra/options.h"
#include "coordinator/restore.h"
#include "plugins/cassandra/plugin_data.h"

namespace cherax::plugins::cassandra {

/// Keyspaces, types, functions, aggregates, tables and views, one after another; what is there already with the same id
/// and definition is fine. First the replication of the system keyspaces: until then the roles are on one node only.
void restore_schema_before_data(coordinator::Restore& restore, const ::cherax::cassandra::ClientOptions& client,
                                const PluginData& data);

/// Indexes and triggers.
void restore_schema_after_data(coordinator::Restore& restore, const ::cherax::cassandra::ClientOptions& client,
                               const PluginData& data);

}  // namespace cherax::plugins::cassandra
