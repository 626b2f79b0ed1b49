#include <algorithm>

#include "cassandra/node_mapping.h"
#include "plugins/cassandra/cassandra_plugin.h"
#include "plugins/cassandra/restore_builds.h"
#include "plugins/cassandra/restore_checks.h"
#include "plugins/cassandra/restore_process.h"
#include "plugins/cassandra/restore_schema.h"
#include "plugins/cassandra/ring_checks.h"

namespace cherax::plugins::cassandra {

using coordinator::StepName;

namespace {

constexpr StepName kValidate{"validate the nodes", "ValidateConfigurationStep"};
constexpr StepName kFindBackup{"find the backup", "BackupNameStep"};
constexpr StepName kReadManifest{"get its manifest", "BackupManifestStep"};
constexpr StepName kParse{"parse the plugin's part", "ParsePluginManifestStep"};
constexpr StepName kMapNodes{"map the backup's nodes to nodes", "MapNodesStep"};
constexpr StepName kStop{"stop Cassandra", "CassandraRestoreSubOpStep"};
constexpr StepName kClear{"clear the nodes", "CassandraRestoreSubOpStep"};
constexpr StepName kPlaceRoles{"place the roles", "PlaceRolesStep"};
constexpr StepName kStart{"start Cassandra with the backed-up tokens", "StartCassandraStep"};
constexpr StepName kWaitUp{"wait until all nodes are up and see each other", "WaitCassandraUpStep"};
constexpr StepName kSchemaHash{"require one schema hash on all nodes", "RequireSchemaHashStep"};
constexpr StepName kRestoreSchema{"restore the schema that data needs", "RestorePreDataStep"};
constexpr StepName kDrain{"drain and stop Cassandra", "CassandraRestoreSubOpStep"};
constexpr StepName kDownload{"download the data", "RestoreStep"};
constexpr StepName kPlace{"move the data into its tables", "CassandraRestoreSubOpStep"};
constexpr StepName kStartAgain{"start Cassandra", "StartCassandraStep"};
constexpr StepName kWaitUpAgain{"wait until all nodes are up again", "WaitCassandraUpStep"};
constexpr StepName kWaitViews{"wait until views are built", "WaitViewsBuiltStep"};
constexpr StepName kAfterData{"restore indexes and triggers", "RestorePostDataStep"};
constexpr StepName kWaitBuilt{"wait until indexes are built and all is delivered", "WaitBuiltStep"};
constexpr StepName kFinish{"remove what was set aside", "FinishRestoreStep"};
constexpr std::array kSteps{&kValidate,  &kFindBackup, &kReadManifest, &kParse,      &kMapNodes,    &kStop,
                            &kClear,     &kPlaceRoles, &kStart,        &kWaitUp,     &kSchemaHash,  &kRestoreSchema,
                            &kDrain,     &kDownload,   &kPlace,        &kStartAgain, &kWaitUpAgain, &kWaitViews,
                            &kAfterData, &kWaitBuilt,  &kFinish};

}  // namespace

coordinator::StepList CassandraPlugin::restore_steps() const { return kSteps; }

void CassandraPlugin::restore(coordinator::Restore& restore) {
  coordinator::Plan& plan = restore.plan();
  coordinator::NodeCalls& nodes = restore.nodes();
  const coordinator::Cluster& cluster = restore.cluster();
  const std::chrono::seconds start_timeout{options_.restore_start_timeout};

  const auto targets = plan.step(kValidate, [&] { return require_own_seeds(restore); });
  plan.step(kFindBackup, [&] {
    restore.find_backup();
    require_clearable(restore, targets, options_);
  });
  plan.step(kReadManifest, [&] { restore.read_manifest(name()); });
  const PluginData data = plan.step(kParse, [&] { return parse_plugin_data(restore.manifest()); });
  const auto mapping = plan.step(kMapNodes, [&] {
    auto mapped = map_nodes(restore, data, targets, options_);
    require_token_counts(restore, data, mapped, targets);
    require_space(restore, mapped, targets);
    return mapped;
  });
  const auto tokens = tokens_of(mapping, data);
  plan.step(kStop, [&] { stop_all(restore); });
  leaving_nodes_stopped(restore, [&] {
    plan.step(kClear, [&] { nodes.all("cassandra/unrestore-sstables", clear_request(restore)); });
    plan.step(kPlaceRoles, [&] {
      restore.download(mapping, roles_selection());
      nodes.all("cassandra/restore-sstables", only_roles());
    });
    plan.step(kStart, [&] { start(restore, tokens); });
    plan.step(kWaitUp, [&] {
      const auto rings = wait_until_up(restore, tokens, options_, start_timeout);
      require_racks_kept(restore, data, mapping, rings);
    });
    plan.step(kSchemaHash, [&] { require_one_schema_hash(nodes, cluster); });
    plan.step(kRestoreSchema, [&] { restore_schema_before_data(restore, options_.client, data); });
    plan.step(kDrain, [&] { nodes.all("cassandra/stop-cassandra", drain_request()); });
    bool again = false;
    plan.attempts(restore.attempts(), kDownload, [&] {
      if (std::exchange(again, true)) nodes.all("cassandra/stop-cassandra", drain_request());
      plan.step(kDownload, [&] { restore.download(mapping, data_selection(data.cassandra_schema)); });
      plan.step(kPlace, [&] { nodes.all("cassandra/restore-sstables", all_but_system()); });
      plan.step(kStartAgain, [&] { start(restore, tokens); });
      plan.step(kWaitUpAgain, [&] { wait_until_up(restore, tokens, options_, start_timeout); });
      plan.step(kWaitViews, [&] { wait_until_views_are_built(restore, data.cassandra_schema); });
      plan.step(kAfterData, [&] { restore_schema_after_data(restore, options_.client, data); });
      plan.step(kWaitBuilt, [&] { wait_until_built(restore, data.cassandra_schema); });
    });
    plan.step(kFinish, [&] { nodes.all("cassandra/finish-restore", finish_request(restore)); });
  });
}

}  // namespace cherax::plugins::cassandra
