#include "app/config.h"

#include <algorithm>
#include <ranges>
#include <set>

#include "app/all_plugins.h"
#include "app/checks.h"
#include "app/node_url.h"
#include "app/storage_config.h"
#include "snapshot/freeze.h"

namespace cherax::app {

namespace {

using Step = json::Path::value_type;

bool is_existing_directory(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

/// Directories that are made, and removed again unless all of them are kept.
class NewDirectories {
 public:
  NewDirectories() = default;
  ~NewDirectories() {
    std::error_code ignored;
    for (const auto& directory : created_ | std::views::reverse) std::filesystem::remove(directory, ignored);
  }
  NewDirectories(const NewDirectories&) = delete;
  NewDirectories& operator=(const NewDirectories&) = delete;

  /// With those around it. One that is there already is fine.
  std::error_code create(const std::filesystem::path& directory) {
    std::vector<std::filesystem::path> missing;
    std::error_code error;
    for (auto at = directory; at.has_relative_path() && !std::filesystem::exists(at, error); at = at.parent_path()) {
      missing.push_back(at);
    }
    for (const auto& path : missing | std::views::reverse) {
      if (std::filesystem::create_directory(path, error)) created_.push_back(path);
      if (error) return error;
    }
    if (std::filesystem::is_directory(directory, error) || error) return error;
    return std::make_error_code(std::errc::not_a_directory);
  }
  void keep() { created_.clear(); }

 private:
  std::vector<std::filesystem::path> created_;
};

/// Reads the sections one after another and collects every problem before it gives up.
class Loader {
 public:
  explicit Loader(const std::filesystem::path& path) : checks_(path) { checks_.reader().read(checks_.root(), file_); }

  Config config();
  std::unique_ptr<repository::Storages> storages();

 private:
  struct Directory {
    std::filesystem::path path;
    json::Path configured_at;
  };
  /// The temporary directories of what is used, and these: all of them, or none.
  void make_directories(std::vector<Directory> directories);

  void read_listen(Config& config);
  void read_coordinator(Config& config);
  void read_nodes(coordinator::CoordinatorOptions& options);
  void read_plugin(Config& config);
  void read_node(Config& config);

  /// A section that may be there, and where.
  struct Candidate {
    const ObjectStorageSection* section;
    json::Path path;
  };
  template <class Section>
  static Candidate candidate(const std::optional<Section>& around, const char* key) {
    return {around && around->object_storage ? &*around->object_storage : nullptr, {key, "object_storage"}};
  }
  Candidate of_coordinator() const { return candidate(file_.coordinator, "coordinator"); }
  Candidate of_node() const { return candidate(file_.node, "node"); }
  Candidate of_file() const { return {file_.object_storage ? &*file_.object_storage : nullptr, {"object_storage"}}; }
  /// The storages of the first that is there; nullptr and a problem without any.
  StorageConfig* use(std::initializer_list<Candidate> candidates, const std::optional<std::filesystem::path>& cache);
  std::optional<std::filesystem::path> cache() const {
    return file_.coordinator ? file_.coordinator->object_storage_cache : std::nullopt;
  }

  Checks checks_;
  ConfigFile file_;
  std::map<const ObjectStorageSection*, StorageConfig> used_;  // a section that counts twice is there once
  StorageConfig* coordinator_storage_ = nullptr;
  StorageConfig* node_storage_ = nullptr;
};

StorageConfig* Loader::use(std::initializer_list<Candidate> candidates,
                           const std::optional<std::filesystem::path>& cache) {
  for (const auto& [section, path] : candidates) {
    if (section) return &used_.try_emplace(section, checks_, *section, path, cache).first->second;
  }
  checks_.require(false, {"object_storage"},
                  "a section that says where backups are stored, here or inside each of node and coordinator");
  return nullptr;
}

void Loader::make_directories(std::vector<Directory> directories) {
  for (const auto& [section, storage] : used_) {
    directories.push_back({storage.temporary_directory(), storage.temporary_directory_path()});
  }
  NewDirectories made;
  for (const auto& [path, configured_at] : directories) {
    const auto error = made.create(path);
    checks_.require(!error, configured_at,
                    fmt::format("a directory that is there or can be created: {}", error.message()));
  }
  checks_.refuse_if_problems();
  made.keep();
}

void Loader::read_listen(Config& config) {
  static constexpr std::array kLevels{
      std::pair{"trace", log::Level::trace}, std::pair{"debug", log::Level::debug},
      std::pair{"info", log::Level::info},   std::pair{"warning", log::Level::warning},
      std::pair{"error", log::Level::error}, std::pair{"critical", log::Level::critical}};
  config.listen = file_.uvicorn;
  const auto level =
      std::ranges::find_if(kLevels, [&](const auto& entry) { return entry.first == file_.uvicorn.log_level; });
  checks_.require(level != kLevels.end(), {"uvicorn", "log_level"},
                  "one of trace, debug, info, warning, error, critical");
  if (level != kLevels.end()) config.log_level = level->second;
}

void Loader::read_nodes(coordinator::CoordinatorOptions& options) {
  std::set<NodeUrl> known;
  for (std::size_t i = 0; i < file_.coordinator->nodes.size(); ++i) {
    const auto& [url, az] = file_.coordinator->nodes[i];
    const json::Path path{"coordinator", "nodes", i, "url"};
    const auto parsed = NodeUrl::parse(url);
    checks_.require(parsed.has_value(), path, "http(s)://host:port/node, the URL of a node API");
    checks_.require(
        parsed && known.insert(*parsed).second, path,
        "the URL of another node than the entries before, however it is written: a node cannot be locked twice");
    options.nodes.push_back({url, az});
  }
}

void Loader::read_coordinator(Config& config) {
  const CoordinatorSection& section = *file_.coordinator;
  coordinator::CoordinatorOptions options;
  read_nodes(options);
  const auto positive = [&](std::uint32_t number, std::initializer_list<Step> steps) {
    checks_.require(number >= 1, below({"coordinator"}, steps), "a whole number from 1 up");
  };
  positive(section.poll.delay_start, {"poll", "delay_start"});
  positive(section.poll.delay_multiplier, {"poll", "delay_multiplier"});
  positive(section.poll.delay_max, {"poll", "delay_max"});
  positive(section.poll.duration, {"poll", "duration"});
  positive(section.poll.result_timeout, {"poll", "result_timeout"});
  positive(section.default_lock_ttl, {"default_lock_ttl"});
  positive(section.backup_attempts, {"backup_attempts"});
  positive(section.restore_attempts, {"restore_attempts"});
  positive(section.fan_out, {"fan_out"});
  using std::chrono::seconds;
  options.poll = {seconds{section.poll.delay_start},
                  static_cast<double>(section.poll.delay_multiplier),
                  seconds{section.poll.delay_max},
                  seconds{section.poll.duration},
                  static_cast<int>(section.poll.maximum_failures),
                  seconds{section.poll.result_timeout}};
  options.default_lock_ttl = seconds{section.default_lock_ttl};
  options.backup_attempts = section.backup_attempts;
  options.restore_attempts = section.restore_attempts;
  options.fan_out = section.fan_out;
  if (section.retention) {
    const auto not_negative = [&](std::optional<std::int64_t> number, const char* key) {
      checks_.require(number.value_or(0) >= 0, {"coordinator", "retention", key}, "a whole number from 0 up");
    };
    not_negative(section.retention->minimum_backups, "minimum_backups");
    not_negative(section.retention->maximum_backups, "maximum_backups");
    not_negative(section.retention->keep_days, "keep_days");
    options.retention = *section.retention;
  }
  options.gc_grace = seconds{section.gc_grace};
  if (file_.node) options.db_path = file_.node->db_path;
  if (coordinator_storage_) options.temporary_directory = coordinator_storage_->temporary_directory();
  config.coordinator = std::move(options);
  read_plugin(config);
}

void Loader::read_plugin(Config& config) {
  const auto factory = all_plugins().find(file_.coordinator->plugin);
  if (factory == all_plugins().end()) {
    std::vector<std::string_view> names;
    for (const auto& [name, unused] : all_plugins()) names.push_back(name);
    return checks_.require(false, {"coordinator", "plugin"}, fmt::format("one of {}", fmt::join(names, ", ")));
  }
  checks_.reader().at_path({"coordinator", "plugin_config"}, [&] {
    config.plugin =
        factory->second.make_plugin(checks_.reader(), file_.coordinator->plugin_config, *config.coordinator);
    return config.plugin != nullptr;
  });
}

void Loader::read_node(Config& config) {
  const NodeSection& section = *file_.node;
  checks_.require(section.root.is_absolute() && is_existing_directory(section.root), {"node", "root"},
                  "the absolute path of an existing directory");
  checks_.require(section.db_path.is_absolute(), {"node", "db_path"}, "an absolute path");
  for (const auto& [name, threads] :
       {std::pair{"downloads", section.parallel.downloads}, std::pair{"hashes", section.parallel.hashes},
        std::pair{"uploads", section.parallel.uploads}}) {
    checks_.require(threads >= 1, {"node", "parallel", name}, "a whole number from 1 up");
  }
  node::NodeOptions options;
  options.root = section.root;
  options.az = section.az;
  options.root_link = section.root_link.value_or(section.root / ".astacus");
  if (!checks_.has_problem({"node", "root"})) {
    checks_.require(
        snapshot::can_link(options.root, options.root_link), {"node", "root_link"},
        "a directory on the same file system, and the same mount of it, as node.root or a directory in it: a backup's "
        "hard links cannot be elsewhere");
  }
  options.db_path = section.db_path;
  if (node_storage_) options.temporary_directory = node_storage_->temporary_directory();
  options.parallel = {section.parallel.downloads, section.parallel.hashes, section.parallel.uploads};
  options.copy_root_owner = section.copy_root_owner;
  for (const auto& plugin : all_plugins()) {
    const auto& factory = plugin.second;
    if (!factory.make_extension) continue;
    // The one extension that Astacus' configuration knows has the one section of that kind.
    const json::Path path{"node", std::string{plugin.first}};
    const bool is_needed = file_.coordinator && file_.coordinator->plugin == plugin.first;
    checks_.require(
        !is_needed || !section.cassandra.is_null(), path,
        fmt::format("a section: coordinator.plugin is {}, and a server that coordinates is a node too", plugin.first));
    checks_.reader().at_path(path, [&] {
      auto made = factory.make_extension(checks_.reader(), section.cassandra, options);
      if (made) config.extensions.push_back(std::move(made));
      return true;
    });
  }
  config.node = std::move(options);
}

std::unique_ptr<repository::Storages> Loader::storages() {
  StorageConfig* const storage = use({of_coordinator(), of_file(), of_node()}, cache());
  checks_.refuse_if_problems();
  auto storages = storage->make();
  make_directories({});
  return storages;
}

Config Loader::config() {
  Config config;
  if (file_.coordinator) coordinator_storage_ = use({of_coordinator(), of_file()}, cache());
  node_storage_ = use({of_node(), of_file()}, std::nullopt);
  read_listen(config);
  if (file_.coordinator) read_coordinator(config);
  if (file_.node) read_node(config);
  checks_.require(file_.node.has_value(), {"node"}, "a section: every server is a node, one that coordinates too");
  checks_.refuse_if_problems();
  config.node_storages = node_storage_->make();
  if (coordinator_storage_ == node_storage_) {
    config.coordinator_storages = config.node_storages;
  } else if (coordinator_storage_) {
    config.coordinator_storages = coordinator_storage_->make();
  }
  // Only now is anything written.
  make_directories({{config.node->db_path, {"node", "db_path"}}});
  return config;
}

}  // namespace

Config load_config(const std::filesystem::path& path) { return Loader{path}.config(); }

std::unique_ptr<repository::Storages> load_storages(const std::filesystem::path& path) {
  return Loader{path}.storages();
}

}  // namespace cherax::app
