#pragma once

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/messages.h"
#include "app/document.h"

/// The configuration file as it is written: Astacus' keys and defaults (docs/configuration.md). What a plugin or a
/// store understands stays a json::value here and is read by that plugin or store.
namespace cherax::app {

/// Of Astacus; without effect so far.
struct StatsdSection {
  std::string host;
  std::uint16_t port = 8125;
  std::string message_format;
  std::map<std::string, std::string> tags;
};
BOOST_DESCRIBE_STRUCT(StatsdSection, (), (host, port, message_format, tags))

struct UvicornSection {
  std::string host = "127.0.0.1";
  std::uint16_t port = 5515;
  std::string log_level = "info";
  std::string http = "auto";  ///< of Astacus; without effect
  bool reload = false;        ///< of Astacus; without effect
};
BOOST_DESCRIBE_STRUCT(UvicornSection, (), (host, port, log_level, http, reload))

struct EncryptionKeySection {
  static constexpr std::array kRequired{"public"};
  std::string public_;
  std::string private_;  ///< may be missing on a machine that only makes backups
};
BOOST_DESCRIBE_STRUCT(EncryptionKeySection, (), (public_, private_))

struct CompressionSection {
  std::string algorithm;  ///< empty: none
  int level = 0;
};
BOOST_DESCRIBE_STRUCT(CompressionSection, (), (algorithm, level))

struct ObjectStorageSection {
  static constexpr std::array kRequired{"temporary_directory", "default_storage", "storages"};
  std::filesystem::path temporary_directory;
  std::string default_storage;
  std::map<std::string, json::value> storages;
  CompressionSection compression;
  std::string encryption_key_id;
  std::map<std::string, EncryptionKeySection> encryption_keys;
};
BOOST_DESCRIBE_STRUCT(ObjectStorageSection, (),
                      (temporary_directory, default_storage, storages, compression, encryption_key_id, encryption_keys))

struct NodeEntry {
  static constexpr std::array kRequired{"url"};
  std::string url;
  std::string az;
};
BOOST_DESCRIBE_STRUCT(NodeEntry, (), (url, az))

/// Seconds, but for the multiplier and the number of failures.
struct PollSection {
  std::uint32_t delay_start = 1;
  std::uint32_t delay_multiplier = 2;
  std::uint32_t delay_max = 60;
  std::uint32_t duration = 86'400;
  std::uint32_t maximum_failures = 5;
  std::uint32_t result_timeout = 300;
};
BOOST_DESCRIBE_STRUCT(PollSection, (),
                      (delay_start, delay_multiplier, delay_max, duration, maximum_failures, result_timeout))

struct CoordinatorSection {
  static constexpr std::array kRequired{"plugin"};
  std::vector<NodeEntry> nodes;
  std::string plugin;
  json::value plugin_config = json::object{};
  std::optional<api::Retention> retention;  ///< replaces the default as a whole
  PollSection poll;
  std::uint32_t default_lock_ttl = 600;
  std::uint32_t backup_attempts = 5;
  std::uint32_t restore_attempts = 1;
  std::optional<std::filesystem::path> object_storage_cache;
  std::optional<ObjectStorageSection> object_storage;
  std::optional<StatsdSection> statsd;
  std::uint32_t list_ttl = 3600;    ///< of Astacus; without effect: a list is always what there is
  std::uint32_t gc_grace = 86'400;  ///< ours, seconds; 0: as Astacus, which deletes blocks of any age
  std::uint32_t fan_out = 64;       ///< ours
};
BOOST_DESCRIBE_STRUCT(CoordinatorSection, (),
                      (nodes, plugin, plugin_config, retention, poll, default_lock_ttl, backup_attempts,
                       restore_attempts, object_storage_cache, object_storage, statsd, list_ttl, gc_grace, fan_out))

struct ParallelSection {
  std::uint32_t downloads = 1;
  std::uint32_t hashes = 1;
  std::uint32_t uploads = 1;
};
BOOST_DESCRIBE_STRUCT(ParallelSection, (), (downloads, hashes, uploads))

struct NodeSection {
  static constexpr std::array kRequired{"root", "db_path"};
  std::filesystem::path root;
  std::string az;
  std::optional<std::filesystem::path> root_link;
  std::optional<std::filesystem::path> delta_root_link;
  std::filesystem::path db_path;
  std::optional<ObjectStorageSection> object_storage;
  std::optional<StatsdSection> statsd;
  ParallelSection parallel;
  bool copy_root_owner = false;
  json::value cassandra;
};
BOOST_DESCRIBE_STRUCT(NodeSection, (),
                      (root, az, root_link, delta_root_link, db_path, object_storage, statsd, parallel, copy_root_owner,
                       cassandra))

struct ConfigFile {
  std::optional<CoordinatorSection> coordinator;
  std::optional<NodeSection> node;
  std::optional<ObjectStorageSection> object_storage;
  std::optional<StatsdSection> statsd;
  json::value sentry_dsn;
  UvicornSection uvicorn;
};
BOOST_DESCRIBE_STRUCT(ConfigFile, (), (coordinator, node, object_storage, statsd, sentry_dsn, uvicorn))

}  // namespace cherax::app
