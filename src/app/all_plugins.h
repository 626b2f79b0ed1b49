#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string_view>

#include "base/json.h"
#include "coordinator/options.h"
#include "coordinator/plugin.h"
#include "node/extension.h"
#include "node/options.h"

namespace cherax::app {

/// Makes the parts of a plugin from their sections of the configuration; nullptr when problems were added.
struct PluginFactory {
  std::function<std::unique_ptr<coordinator::Plugin>(json::Reader&, const json::value& plugin_config,
                                                     const coordinator::CoordinatorOptions&)>
      make_plugin;
  /// Of its operations on a node; empty for a plugin without any. The section may be null, not configured, as long as
  /// this server does not coordinate the plugin's backups.
  std::function<std::unique_ptr<node::Extension>(json::Reader&, const json::value& section, const node::NodeOptions&)>
      make_extension;
};

/// By the name in `coordinator.plugin`.
const std::map<std::string_view, PluginFactory>& all_plugins();

}  // namespace cherax::app
