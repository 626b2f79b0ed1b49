#pragma once

#include "coordinator/plugin.h"
#include "plugins/cassandra/options.h"
#include "plugins/cassandra/plugin_data.h"

namespace cherax::plugins::cassandra {

/// Backs up and restores a Cassandra cluster: the coordinator's half. backup.cc and restore.cc read as the documented
/// steps (docs/operating.md).
class CassandraPlugin final : public coordinator::Plugin {
 public:
  explicit CassandraPlugin(PluginOptions options) : options_(std::move(options)) {}

  std::string_view name() const override { return "cassandra"; }
  coordinator::StepList backup_steps() const override;
  coordinator::StepList restore_steps() const override;
  void backup(coordinator::Backup& backup) override;
  void restore(coordinator::Restore& restore) override;

 private:
  PluginOptions options_;
};

}  // namespace cherax::plugins::cassandra
