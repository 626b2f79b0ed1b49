#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "app/config_file.h"
#include "base/log.h"
#include "coordinator/options.h"
#include "coordinator/plugin.h"
#include "node/extension.h"
#include "node/options.h"
#include "repository/storages.h"

namespace cherax::app {

/// What a configuration file says, checked, as the rooms take it. The plugin is made by the file's plugin_config, the
/// extensions by the node's sections of the same names.
struct Config {
  UvicornSection listen;
  log::Level log_level = log::Level::info;
  std::optional<coordinator::CoordinatorOptions> coordinator;
  /// The same as the node's when one section counts for both; nullptr without a coordinator.
  std::shared_ptr<repository::Storages> coordinator_storages;
  std::unique_ptr<coordinator::Plugin> plugin;
  std::optional<node::NodeOptions> node;
  std::shared_ptr<repository::Storages> node_storages;
  std::vector<std::unique_ptr<node::Extension>> extensions;
};

/// Error{invalid} with a line for each problem: file, line, the key's path and what was expected. No value is repeated:
/// it may be a secret.
Config load_config(const std::filesystem::path& path);

/// Only what commands that read a storage directly need: the coordinator's storages, else those of the file, else the
/// node's.
std::unique_ptr<repository::Storages> load_storages(const std::filesystem::path& path);

}  // namespace cherax::app
