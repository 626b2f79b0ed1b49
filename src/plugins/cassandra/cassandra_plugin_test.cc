#include "plugins/cassandra/cassandra_plugin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cherax::plugins::cassandra {
namespace {

using testing::ElementsAre;

std::vector<std::string_view> names_of(coordinator::StepList steps) {
  std::vector<std::string_view> names;
  for (const auto* step : steps) names.push_back(step->astacus);
  return names;
}

// What scripts give as stop_after_step.
TEST(CassandraPlugin, StepsOfABackupHaveAstacusNames) {
  EXPECT_THAT(names_of(CassandraPlugin{{}}.backup_steps()),
              ElementsAre("ValidateConfigurationStep", "RetrieveSchemaHashStep", "PrepareCassandraManifestStep",
                          "CassandraSubOpStep", "CassandraSubOpStep", "AssertSchemaUnchanged", "SnapshotStep",
                          "ListHexdigestsStep", "UploadBlocksStep", "CassandraSubOpStep", "SnapshotReleaseStep",
                          "UploadManifestStep"));
}

TEST(CassandraPlugin, StepsOfARestoreHaveAstacusNamesWhereAstacusHasThem) {
  auto names = names_of(CassandraPlugin{{}}.restore_steps());
  for (const auto ours :
       {"PlaceRolesStep", "RequireSchemaHashStep", "WaitViewsBuiltStep", "WaitBuiltStep", "FinishRestoreStep"})
    EXPECT_EQ(std::erase(names, ours), 1U) << ours;
  EXPECT_THAT(
      names,
      ElementsAre("ValidateConfigurationStep", "BackupNameStep", "BackupManifestStep", "ParsePluginManifestStep",
                  "MapNodesStep", "CassandraRestoreSubOpStep", "CassandraRestoreSubOpStep", "StartCassandraStep",
                  "WaitCassandraUpStep", "RestorePreDataStep", "CassandraRestoreSubOpStep", "RestoreStep",
                  "CassandraRestoreSubOpStep", "StartCassandraStep", "WaitCassandraUpStep", "RestorePostDataStep"));
}

}  // namespace
}  // namespace cherax::plugins::cassandra
