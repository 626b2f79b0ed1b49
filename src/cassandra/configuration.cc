#include "cassandra/configuration.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/file.h"

namespace cherax::cassandra {

namespace {

constexpr std::size_t kMaxFile = 4 * 1024 * 1024;

Error wrong(std::string_view key, const YAML::Node& node, std::string_view expected) {
  return make_error(ErrorKind::invalid, "line {}: {}: expected {}", node.Mark().line + 1, key, expected);
}

/// A whole number and a unit (org.apache.cassandra.config.DurationSpec); without one, milliseconds.
std::optional<std::chrono::milliseconds> parse_milliseconds(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 6> kUnits{
      {{"", 1}, {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
  std::int32_t number = 0;  // so no unit overflows
  const auto [unit, error] = std::from_chars(text.begin(), text.end(), number);
  if (error != std::errc{} || number < 0) return std::nullopt;
  for (const auto& [name, factor] : kUnits) {
    if (name == std::string_view{unit, text.end()}) return std::chrono::milliseconds{number * factor};
  }
  return std::nullopt;
}

/// Reads the top-level keys; the first problem is thrown as Error.
class KeyReader {
 public:
  explicit KeyReader(const YAML::Node& root) {
    for (const auto& entry : root) values_[entry.first.Scalar()] = entry.second;  // the last of equal keys stays
  }

  void read(std::string_view key, std::string& out) const {
    if (const auto text = scalar(key)) out = *text;
  }
  void read(std::string_view key, std::optional<std::string>& out) const {
    if (auto text = scalar(key)) out = std::move(text);
  }
  void read(std::string_view key, std::optional<std::filesystem::path>& out) const {
    if (const auto text = scalar(key)) out = *text;
  }
  void read(std::string_view key, bool& out) const { read_as(key, "true or false", out); }
  void read(std::string_view key, std::uint16_t& out) const { read_as(key, "a port", out); }
  void read(std::string_view key, std::optional<std::uint16_t>& out) const {
    if (find(key)) read_as(key, "a port", out.emplace());
  }
  void read(std::string_view key, int& out) const { read_as(key, "a whole number", out); }

  /// `10s`, as since 4.1, or a plain number of milliseconds.
  void read(std::string_view key, std::chrono::milliseconds& out) const {
    const auto text = scalar(key);
    if (!text) return;
    const auto duration = parse_milliseconds(*text);
    if (!duration) throw wrong(key, *find(key), "a duration such as 10s or 500ms");
    out = *duration;
  }

  /// Absent and null are the same to Cassandra.
  const YAML::Node* find(std::string_view key) const {
    const auto found = values_.find(key);
    return found == values_.end() || found->second.IsNull() ? nullptr : &found->second;
  }

  std::optional<std::string> scalar(std::string_view key) const {
    const YAML::Node* node = find(key);
    if (!node) return std::nullopt;
    if (!node->IsScalar()) throw wrong(key, *node, "text");
    return node->Scalar();
  }

 private:
  template <class T>
  void read_as(std::string_view key, std::string_view expected, T& out) const {
    const YAML::Node* node = find(key);
    if (node && !YAML::convert<T>::decode(*node, out)) throw wrong(key, *node, expected);
  }

  std::map<std::string, YAML::Node, std::less<>> values_;
};

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t begin = part.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) continue;
    part = part.substr(begin, part.find_last_not_of(" \t\r\n") - begin + 1);
    parts.emplace_back(part);
  }
  return parts;
}

void read_data_directories(const KeyReader& keys, Configuration& configuration) {
  constexpr std::string_view kKey = "data_file_directories";
  const YAML::Node* node = keys.find(kKey);
  if (!node) return;
  if (!node->IsSequence()) throw wrong(kKey, *node, "a list of directories");
  for (const YAML::Node& directory : *node) {
    if (!directory.IsScalar()) throw wrong(kKey, directory, "a directory");
    configuration.data_file_directories.emplace_back(directory.Scalar());
  }
}

/// `- class_name: C` with `parameters: [{seeds: "a,b"}]`, or, since 4.1, the same as a map instead of a list.
void read_seeds(const KeyReader& keys, Configuration& configuration) {
  constexpr std::string_view kKey = "seed_provider";
  const YAML::Node* found = keys.find(kKey);
  if (!found) return;
  const YAML::Node provider = found->IsSequence() && found->size() > 0 ? (*found)[0] : *found;
  if (!provider.IsMap() || !provider["class_name"] || !provider["class_name"].IsScalar()) {
    throw wrong(kKey, *found, "class_name and parameters");
  }
  configuration.seed_provider = provider["class_name"].Scalar();
  YAML::Node parameters = provider["parameters"];
  if (parameters && parameters.IsSequence() && parameters.size() > 0) parameters.reset(YAML::Node{parameters[0]});
  if (parameters && parameters.IsMap() && parameters["seeds"] && parameters["seeds"].IsScalar()) {
    configuration.seeds = split_list(parameters["seeds"].Scalar());
  }
}

Configuration read_configuration(const YAML::Node& root) {
  const KeyReader keys{root};
  Configuration configuration;
  keys.read("cluster_name", configuration.cluster_name);
  keys.read("partitioner", configuration.partitioner);
  keys.read("endpoint_snitch", configuration.endpoint_snitch);
  keys.read("listen_address", configuration.listen_address);
  keys.read("listen_interface", configuration.listen_interface);
  keys.read("listen_interface_prefer_ipv6", configuration.listen_interface_prefer_ipv6);
  keys.read("broadcast_address", configuration.broadcast_address);
  keys.read("rpc_address", configuration.rpc_address);
  keys.read("rpc_interface", configuration.rpc_interface);
  keys.read("rpc_interface_prefer_ipv6", configuration.rpc_interface_prefer_ipv6);
  keys.read("storage_port", configuration.storage_port);
  keys.read("ssl_storage_port", configuration.ssl_storage_port);
  keys.read("native_transport_port", configuration.native_transport_port);
  keys.read("native_transport_port_ssl", configuration.native_transport_port_ssl);
  keys.read("num_tokens", configuration.num_tokens);
  if (const auto tokens = keys.scalar("initial_token")) configuration.initial_tokens = split_list(*tokens);
  keys.read("auto_bootstrap", configuration.auto_bootstrap);
  keys.read("enable_materialized_views", configuration.materialized_views_enabled);
  keys.read("materialized_views_enabled", configuration.materialized_views_enabled);
  keys.read("enable_user_defined_functions", configuration.user_defined_functions_enabled);
  keys.read("user_defined_functions_enabled", configuration.user_defined_functions_enabled);
  keys.read("hints_flush_period_in_ms", configuration.hints_flush_period);
  keys.read("hints_flush_period", configuration.hints_flush_period);
  read_data_directories(keys, configuration);
  keys.read("local_system_data_file_directory", configuration.local_system_data_file_directory);
  keys.read("commitlog_directory", configuration.commitlog_directory);
  keys.read("hints_directory", configuration.hints_directory);
  keys.read("saved_caches_directory", configuration.saved_caches_directory);
  keys.read("cdc_raw_directory", configuration.cdc_raw_directory);
  keys.read("resolve_multiple_ip_addresses_per_dns_record", configuration.resolve_multiple_ip_addresses_per_dns_record);
  read_seeds(keys, configuration);
  return configuration;
}

}  // namespace

bool Configuration::has_simple_seed_provider() const {
  return seed_provider == "SimpleSeedProvider" || seed_provider == "org.apache.cassandra.locator.SimpleSeedProvider";
}

Result<Configuration> parse_configuration(std::string_view yaml) {
  try {
    const YAML::Node root = YAML::Load(std::string{yaml});
    if (!root.IsMap()) return make_error(ErrorKind::invalid, "not a map of keys and values");
    for (const auto& entry : root) {
      if (!entry.first.IsScalar())
        return make_error(ErrorKind::invalid, "line {}: a key that is not text", entry.first.Mark().line + 1);
    }
    return read_configuration(root);
  } catch (const YAML::Exception& error) {
    return make_error(ErrorKind::invalid, "line {}: {}", error.mark.line + 1, error.msg);
  } catch (const Error& error) {
    return error;
  }
}

Configuration load_configuration(const std::filesystem::path& path) {
  auto configuration = parse_configuration(read_text(path, kMaxFile));
  if (!configuration) throw configuration.error().in_context(path.string());
  return *std::move(configuration);
}

std::vector<std::filesystem::path> Directories::all() const {
  std::vector<std::filesystem::path> directories = data;
  if (local_system_data) directories.push_back(*local_system_data);
  directories.insert(directories.end(), {commitlog, hints, saved_caches, cdc_raw});
  std::ranges::sort(directories);
  directories.erase(std::ranges::unique(directories).begin(), directories.end());
  return directories;
}

Directories resolve_directories(const Configuration& configuration,
                                const std::optional<std::filesystem::path>& storage_directory) {
  const auto resolve = [&](std::string_view key, const std::optional<std::filesystem::path>& given,
                           std::string_view below) {
    if (!given && !storage_directory) {
      fail(ErrorKind::invalid,
           "{} is not set in cassandra.yaml, and its default lies below Cassandra's JVM option cassandra.storagedir, "
           "which "
           "is not known: set {} in cassandra.yaml, or the storage directory in Cherax' configuration",
           key, key);
    }
    const std::filesystem::path path = given ? *given : *storage_directory / below;
    if (!path.is_absolute()) fail(ErrorKind::invalid, "{} is {}: expected an absolute path", key, path.string());
    const auto normal = path.lexically_normal();
    return normal.has_filename() ? normal : normal.parent_path();  // without a trailing slash
  };
  Directories directories;
  for (const auto& directory : configuration.data_file_directories) {
    directories.data.push_back(resolve("data_file_directories", directory, ""));
  }
  if (directories.data.empty()) directories.data.push_back(resolve("data_file_directories", std::nullopt, "data"));
  if (configuration.local_system_data_file_directory) {
    directories.local_system_data =
        resolve("local_system_data_file_directory", configuration.local_system_data_file_directory, "");
  }
  directories.commitlog = resolve("commitlog_directory", configuration.commitlog_directory, "commitlog");
  directories.hints = resolve("hints_directory", configuration.hints_directory, "hints");
  directories.saved_caches = resolve("saved_caches_directory", configuration.saved_caches_directory, "saved_caches");
  directories.cdc_raw = resolve("cdc_raw_directory", configuration.cdc_raw_directory, "cdc_raw");
  return directories;
}

Result<Location> parse_rackdc(std::string_view properties) {
  Location location;
  while (!properties.empty()) {
    const std::size_t end = std::min(properties.find('\n'), properties.size());
    const std::string_view line = properties.substr(0, end);
    properties.remove_prefix(std::min(end + 1, properties.size()));
    const std::size_t separator = line.find_first_of("=:");
    if (separator == std::string_view::npos) continue;
    const auto trimmed = [](std::string_view text) {
      const std::size_t begin = std::min(text.find_first_not_of(" \t\r"), text.size());
      text.remove_prefix(begin);
      return std::string{text.substr(0, text.find_last_not_of(" \t\r") + 1)};
    };
    const std::string key = trimmed(line.substr(0, separator));
    if (key == "dc") location.datacenter = trimmed(line.substr(separator + 1));
    if (key == "rack") location.rack = trimmed(line.substr(separator + 1));
  }
  if (location.datacenter.empty() || location.rack.empty()) {
    return make_error(ErrorKind::invalid, "expected lines dc=… and rack=…");
  }
  return location;
}

std::optional<Location> configured_location(const Configuration& configuration,
                                            const std::filesystem::path& yaml_path) {
  const std::string_view name = configuration.endpoint_snitch;
  const std::string_view snitch = name.substr(name.rfind('.') + 1);
  if (snitch == "SimpleSnitch") return Location{"datacenter1", "rack1"};
  if (snitch != "GossipingPropertyFileSnitch") return std::nullopt;
  const auto path = yaml_path.parent_path() / "cassandra-rackdc.properties";
  auto location = parse_rackdc(read_text(path, kMaxFile));
  if (!location) throw location.error().in_context(path.string());
  return *std::move(location);
}

}  // namespace cherax::cassandra
