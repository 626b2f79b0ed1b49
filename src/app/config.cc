#include "app/config.h"

#include <algorithm>
#include <ranges>
#include <set>

#include "app/all_plugins.h"
#include "app/all_stores.h"
#include "app/node_url.h"
#include "base/file.h"
#include "snapshot/freeze.h"
#include "transform/compress.h"
#include "transform/keys.h"

namespace cherax::app {

namespace {

using Kind = json::Problem::Kind;
using Type = json::Problem::Type;
using Step = std::variant<std::string, std::size_t>;

json::Path below(json::Path path, std::initializer_list<Step> steps) {
  path.insert(path.end(), steps);
  return path;
}

bool is_prefix(const json::Path& prefix, const json::Path& path) {
  return prefix.size() <= path.size() && std::equal(prefix.begin(), prefix.end(), path.begin());
}

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
  explicit Loader(const std::filesystem::path& path) : document_(Document::load(path)) {
    reader_.read(document_.root(), file_);
  }

  Config config();
  std::unique_ptr<repository::Storages> storages();

 private:
  /// Whether one was found at `path` or around it.
  bool has_problem(const json::Path& path) const;
  /// Adds a problem at `path` unless `good`, or unless there is one already.
  void require(bool good, const json::Path& path, const std::string& expected);
  void require_valid(const json::Path& path, const std::function<void()>& check);
  struct Directory {
    std::filesystem::path path;
    json::Path configured_at;
  };
  /// All of them, or none.
  void make_directories(const std::vector<Directory>& directories);
  void refuse_if_problems() const {
    if (!reader_.problems().empty()) throw document_.error(reader_.problems());
  }

  void read_listen(Config& config);
  void read_coordinator(Config& config);
  void read_nodes(coordinator::CoordinatorOptions& options);
  void read_plugin(Config& config);
  void read_node(Config& config);
  void check_storages();
  std::optional<std::filesystem::path> cache() const {
    return file_.coordinator ? file_.coordinator->object_storage_cache : std::nullopt;
  }
  Directory temporary_directory() const {
    return {storage_->temporary_directory, below(storage_path_, {"temporary_directory"})};
  }
  void make_store(const std::string& name, const json::value& value);
  repository::CodecOptions codec_options();
  void check_codec(const repository::CodecOptions& options);
  std::unique_ptr<repository::Storages> make_storages();

  Document document_;
  json::Reader reader_{{.refuse_unknown = true, .coerce = true}};
  ConfigFile file_;
  // The section that counts, and where it stands: the node's, else the coordinator's, else that of the file.
  const ObjectStorageSection* storage_ = nullptr;
  json::Path storage_path_;
  std::map<std::string, std::unique_ptr<storage::ObjectStore>> stores_;
};

bool Loader::has_problem(const json::Path& path) const {
  return std::ranges::any_of(reader_.problems(),
                             [&](const json::Problem& problem) { return is_prefix(problem.path, path); });
}

void Loader::require(bool good, const json::Path& path, const std::string& expected) {
  if (good || has_problem(path)) return;
  reader_.at_path(path, [&] { return reader_.add_problem(Kind::invalid_value, Type::other, expected); });
}

/// What `check` throws becomes a problem at `path`.
void Loader::require_valid(const json::Path& path, const std::function<void()>& check) {
  try {
    check();
  } catch (const Error& error) {
    require(false, path, error.message());
  }
}

void Loader::make_directories(const std::vector<Directory>& directories) {
  NewDirectories made;
  for (const auto& [path, configured_at] : directories) {
    const auto error = made.create(path);
    require(!error, configured_at, fmt::format("a directory that is there or can be created: {}", error.message()));
  }
  refuse_if_problems();
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
  require(level != kLevels.end(), {"uvicorn", "log_level"}, "one of trace, debug, info, warning, error, critical");
  if (level != kLevels.end()) config.log_level = level->second;
}

void Loader::read_nodes(coordinator::CoordinatorOptions& options) {
  std::set<NodeUrl> known;
  for (std::size_t i = 0; i < file_.coordinator->nodes.size(); ++i) {
    const auto& [url, az] = file_.coordinator->nodes[i];
    const json::Path path{"coordinator", "nodes", i, "url"};
    const auto parsed = NodeUrl::parse(url);
    require(parsed.has_value(), path, "http(s)://host:port/node, the URL of a node API");
    require(parsed && known.insert(*parsed).second, path,
            "the URL of another node than the entries before, however it is written: a node cannot be locked twice");
    options.nodes.push_back({url, az});
  }
}

void Loader::read_coordinator(Config& config) {
  const CoordinatorSection& section = *file_.coordinator;
  coordinator::CoordinatorOptions options;
  read_nodes(options);
  const auto positive = [&](std::uint32_t number, std::initializer_list<Step> steps) {
    require(number >= 1, below({"coordinator"}, steps), "a whole number from 1 up");
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
      require(number.value_or(0) >= 0, {"coordinator", "retention", key}, "a whole number from 0 up");
    };
    not_negative(section.retention->minimum_backups, "minimum_backups");
    not_negative(section.retention->maximum_backups, "maximum_backups");
    not_negative(section.retention->keep_days, "keep_days");
    options.retention = *section.retention;
  }
  options.gc_grace = seconds{section.gc_grace};
  if (file_.node) options.db_path = file_.node->db_path;
  if (storage_) options.temporary_directory = storage_->temporary_directory;
  config.coordinator = std::move(options);
  read_plugin(config);
}

void Loader::read_plugin(Config& config) {
  const auto factory = all_plugins().find(file_.coordinator->plugin);
  if (factory == all_plugins().end()) {
    std::vector<std::string_view> names;
    for (const auto& [name, unused] : all_plugins()) names.push_back(name);
    return require(false, {"coordinator", "plugin"}, fmt::format("one of {}", fmt::join(names, ", ")));
  }
  reader_.at_path({"coordinator", "plugin_config"}, [&] {
    config.plugin = factory->second.make_plugin(reader_, file_.coordinator->plugin_config, *config.coordinator);
    return config.plugin != nullptr;
  });
}

void Loader::read_node(Config& config) {
  const NodeSection& section = *file_.node;
  require(section.root.is_absolute() && is_existing_directory(section.root), {"node", "root"},
          "the absolute path of an existing directory");
  require(section.db_path.is_absolute(), {"node", "db_path"}, "an absolute path");
  for (const auto& [name, threads] :
       {std::pair{"downloads", section.parallel.downloads}, std::pair{"hashes", section.parallel.hashes},
        std::pair{"uploads", section.parallel.uploads}}) {
    require(threads >= 1, {"node", "parallel", name}, "a whole number from 1 up");
  }
  node::NodeOptions options;
  options.root = section.root;
  options.az = section.az;
  options.root_link = section.root_link.value_or(section.root / ".astacus");
  if (!has_problem({"node", "root"})) {
    require(
        snapshot::can_link(options.root, options.root_link), {"node", "root_link"},
        "a directory on the same file system, and the same mount of it, as node.root or a directory in it: a backup's "
        "hard links cannot be elsewhere");
  }
  options.db_path = section.db_path;
  if (storage_) options.temporary_directory = storage_->temporary_directory;
  options.parallel = {section.parallel.downloads, section.parallel.hashes, section.parallel.uploads};
  options.copy_root_owner = section.copy_root_owner;
  for (const auto& plugin : all_plugins()) {
    const auto& factory = plugin.second;
    if (!factory.make_extension) continue;
    // The one extension that Astacus' configuration knows has the one section of that kind.
    const json::Path path{"node", std::string{plugin.first}};
    const bool is_needed = file_.coordinator && file_.coordinator->plugin == plugin.first;
    require(
        !is_needed || !section.cassandra.is_null(), path,
        fmt::format("a section: coordinator.plugin is {}, and a server that coordinates is a node too", plugin.first));
    reader_.at_path(path, [&] {
      auto made = factory.make_extension(reader_, section.cassandra, options);
      if (made) config.extensions.push_back(std::move(made));
      return true;
    });
  }
  config.node = std::move(options);
}

repository::CodecOptions Loader::codec_options() {
  repository::CodecOptions options;
  if (const auto algorithm = transform::parse_algorithm(storage_->compression.algorithm)) {
    options.compression = transform::Compression{*algorithm, storage_->compression.level};
  }
  if (!storage_->encryption_key_id.empty()) options.encryption_key_id = storage_->encryption_key_id;
  for (const auto& [id, pair] : storage_->encryption_keys) options.encryption_keys[id] = {pair.public_, pair.private_};
  return options;
}

void Loader::check_codec(const repository::CodecOptions& options) {
  const auto& section = *storage_;
  require(section.compression.algorithm.empty() || options.compression,
          below(storage_path_, {"compression", "algorithm"}), "one of zstd, snappy, lzma");
  require(!section.compression.algorithm.empty() || options.encryption_key_id, storage_path_,
          "compression or encryption_key_id, or both: what is stored has to be one of compressed and encrypted");
  if (options.compression) {
    require_valid(below(storage_path_, {"compression", "level"}),
                  [&] { transform::require_valid(*options.compression); });
  }
  require(!options.encryption_key_id || section.encryption_keys.contains(*options.encryption_key_id),
          below(storage_path_, {"encryption_key_id"}), "the name of one of encryption_keys");
  for (const auto& [id, pair] : section.encryption_keys) {
    const auto path = below(storage_path_, {"encryption_keys", id});
    const auto public_key = transform::PublicKey::from_pem(pair.public_);
    require(public_key.has_value(), below(path, {"public"}), "a public RSA key in PEM form (BEGIN PUBLIC KEY)");
    if (pair.private_.empty()) continue;
    const auto private_key = transform::PrivateKey::from_pem(pair.private_);
    require(private_key.has_value(), below(path, {"private"}),
            "a private RSA key in PEM form (BEGIN PRIVATE KEY), without a password");
    if (public_key && private_key) {
      require(transform::is_pair(*public_key, *private_key), below(path, {"public"}),
              "the public half of `private`: what it seals could not be opened");
    }
  }
}

void Loader::check_storages() {
  const auto choose = [&](const std::optional<ObjectStorageSection>& section, json::Path path) {
    if (storage_ || !section) return;
    storage_ = &*section;
    storage_path_ = std::move(path);
  };
  if (file_.node) choose(file_.node->object_storage, {"node", "object_storage"});
  if (file_.coordinator) choose(file_.coordinator->object_storage, {"coordinator", "object_storage"});
  choose(file_.object_storage, {"object_storage"});
  if (!storage_) return require(false, {"object_storage"}, "a section that says where backups are stored");

  check_codec(codec_options());
  require(storage_->storages.contains(storage_->default_storage) || has_problem(below(storage_path_, {"storages"})),
          below(storage_path_, {"default_storage"}), "the name of one of storages");
  for (const auto& [name, value] : storage_->storages) {
    require(!cache() || repository::can_be_cached(name), below(storage_path_, {"storages", name}),
            "a plain file name as its key: coordinator.object_storage_cache keeps its manifests in a folder of that "
            "name");
    make_store(name, value);
  }
}

void Loader::make_store(const std::string& name, const json::value& value) {
  const auto path = below(storage_path_, {"storages", name});
  if (!value.is_object()) return require(false, path, "an object with storage_type and more");
  json::object members = value.get_object();
  const json::value type = members["storage_type"];
  const auto factory = type.is_string() ? all_stores().find(std::string_view{type.get_string()}) : all_stores().end();
  std::vector<std::string_view> types;
  for (const auto& [known, unused] : all_stores()) types.push_back(known);
  require(factory != all_stores().end(), below(path, {"storage_type"}),
          fmt::format("one of {}", fmt::join(types, ", ")));
  if (factory == all_stores().end()) return;
  members.erase("storage_type");
  reader_.at_path(path, [&] { return (stores_[name] = factory->second(reader_, members)) != nullptr; });
}

std::unique_ptr<repository::Storages> Loader::make_storages() {
  return std::make_unique<repository::Storages>(storage_->default_storage, std::move(stores_), codec_options(),
                                                storage_->temporary_directory, cache());
}

std::unique_ptr<repository::Storages> Loader::storages() {
  check_storages();
  refuse_if_problems();
  auto storages = make_storages();
  make_directories({temporary_directory()});
  return storages;
}

Config Loader::config() {
  Config config;
  check_storages();
  read_listen(config);
  if (file_.coordinator) read_coordinator(config);
  if (file_.node) read_node(config);
  require(file_.node.has_value(), {"node"}, "a section: every server is a node, one that coordinates too");
  refuse_if_problems();
  config.storages = make_storages();
  // Only now is anything written.
  make_directories({temporary_directory(), {config.node->db_path, {"node", "db_path"}}});
  return config;
}

}  // namespace

Config load_config(const std::filesystem::path& path) { return Loader{path}.config(); }

std::unique_ptr<repository::Storages> load_storages(const std::filesystem::path& path) {
  return Loader{path}.storages();
}

}  // namespace cherax::app
