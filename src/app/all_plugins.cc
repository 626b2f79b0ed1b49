#include "app/all_plugins.h"

#include "base/command.h"
#include "plugins/cassandra/cassandra_plugin.h"
#include "plugins/cassandra/extension.h"
#include "plugins/files/files_plugin.h"
#include "snapshot/freeze.h"

namespace cherax::app {

namespace {

std::unique_ptr<coordinator::Plugin> make_files_plugin(json::Reader& reader, const json::value& plugin_config,
                                                       const coordinator::CoordinatorOptions&) {
  plugins::files::FilesOptions options;
  if (!reader.read(plugin_config, options)) return nullptr;
  return std::make_unique<plugins::files::FilesPlugin>(std::move(options));
}

bool require_file(json::Reader& reader, const std::string& key, const std::optional<std::string>& path,
                  const std::string& expected) {
  if (!path || std::filesystem::is_regular_file(*path)) return true;
  return reader.at_path({"client", key}, [&] {
    return reader.add_problem(json::Problem::Kind::invalid_value, json::Problem::Type::other, expected);
  });
}

/// What is wrong with it would show at the first session otherwise, and that may be the one of a restore.
bool require_tls_that_works(json::Reader& reader, const cassandra::ClientOptions& client) {
  const auto need = [&](const char* key, const auto& given, bool is_met, const char* other) {
    if (!given || is_met) return true;
    return reader.at_path({"client", key}, [&] {
      return reader.add_problem(json::Problem::Kind::invalid_value, json::Problem::Type::other,
                                fmt::format("{} beside it", other));
    });
  };
  constexpr const char* kPem = "the path of a file in PEM form";
  const bool with_ca = client.ca_cert_path.has_value();
  return need("client_cert_path", client.client_cert_path, with_ca, "ca_cert_path") &&
         need("client_key_path", client.client_key_path, with_ca, "ca_cert_path") &&
         need("tls_server_name", client.tls_server_name, with_ca, "ca_cert_path") &&
         need("client_key_path", client.client_key_path, client.client_cert_path.has_value(), "client_cert_path") &&
         require_file(reader, "ca_cert_path", client.ca_cert_path, kPem) &&
         require_file(reader, "client_cert_path", client.client_cert_path, kPem) &&
         require_file(reader, "client_key_path", client.client_key_path, kPem);
}

std::unique_ptr<coordinator::Plugin> make_cassandra_plugin(json::Reader& reader, const json::value& plugin_config,
                                                           const coordinator::CoordinatorOptions& coordinator) {
  plugins::cassandra::PluginOptions options;
  if (!reader.read(plugin_config, options)) return nullptr;
  if (options.nodes && options.nodes->size() != coordinator.nodes.size()) {
    reader.at(std::string{"nodes"}, [&] {
      return reader.add_problem(json::Problem::Kind::invalid_value, json::Problem::Type::other,
                                fmt::format("{} entries, as many as coordinator.nodes", coordinator.nodes.size()));
    });
    return nullptr;
  }
  const bool files_are_there =
      require_file(reader, "config_path", options.client.config_path, "the path of a cassandra.yaml") &&
      require_tls_that_works(reader, options.client);
  if (!files_are_there) return nullptr;
  return std::make_unique<plugins::cassandra::CassandraPlugin>(std::move(options));
}

/// The program of a command must be there when the server starts, not on the night of a restore.
void require_program(json::Reader& reader, const std::string& key, const std::vector<std::string>& command,
                     bool may_be_empty) {
  if (command.empty() && may_be_empty) return;
  std::string expected = "a list: a program and its arguments";
  if (!command.empty()) {
    try {
      resolve_program(command.front());
      return;
    } catch (const Error& error) {
      expected = fmt::format("a program that can be executed: {}", error.message());
    }
  }
  reader.at(key, [&] {
    return reader.add_problem(json::Problem::Kind::invalid_value, json::Problem::Type::other, expected);
  });
}

/// Cassandra's data often has a disk of its own, where the links of the default root_link cannot be.
void require_links_beside_data(json::Reader& reader, const node::NodeOptions& node) {
  const auto data = node.root / "data";
  std::error_code unreadable;
  if (!std::filesystem::is_directory(data, unreadable) || snapshot::can_link(data, node.root_link)) return;
  reader.add_problem(
      json::Problem::Kind::invalid_value, json::Problem::Type::other,
      fmt::format("node.root_link on the file system, and the mount of it, of {0}, for example {0}/.astacus: a "
                  "backup's hard links cannot be elsewhere",
                  data.string()));
}

std::unique_ptr<node::Extension> make_cassandra_extension(json::Reader& reader, const json::value& section,
                                                          const node::NodeOptions& node) {
  using plugins::cassandra::Extension;
  if (section.is_null()) return std::make_unique<Extension>(std::nullopt, node, system_clock());
  plugins::cassandra::NodeOptions options;
  if (!reader.read(section, options)) return nullptr;
  const bool reads_only = options.access_level == plugins::cassandra::AccessLevel::read;
  require_program(reader, "nodetool_command", options.nodetool_command, false);
  require_program(reader, "start_command", options.start_command, reads_only);
  require_program(reader, "stop_command", options.stop_command, reads_only);
  if (!options.client.config_path || !std::filesystem::is_regular_file(*options.client.config_path)) {
    reader.at_path({"client", "config_path"}, [&] {
      return reader.add_problem(json::Problem::Kind::invalid_value, json::Problem::Type::other,
                                "the path of this node's cassandra.yaml");
    });
  }
  require_tls_that_works(reader, options.client);
  require_links_beside_data(reader, node);
  return std::make_unique<Extension>(std::move(options), node, system_clock());
}

}  // namespace

const std::map<std::string_view, PluginFactory>& all_plugins() {
  static const std::map<std::string_view, PluginFactory> plugins{
      {"cassandra", {make_cassandra_plugin, make_cassandra_extension}},
      {"files", {make_files_plugin, {}}},
  };
  return plugins;
}

}  // namespace cherax::app
