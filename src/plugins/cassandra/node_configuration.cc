#include <sys/stat.h>
#include <sys/statvfs.h>

#include <map>

#include "base/file.h"
#include "cassandra/addresses.h"
#include "cassandra/schema.h"
#include "cassandra/sstable.h"
#include "plugins/cassandra/extension.h"

namespace cherax::plugins::cassandra {

namespace lib = ::cherax::cassandra;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kTablesNamed = 10;

template <class Visit>
void for_each_directory(const fs::path& directory, Visit visit) {
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator{directory, missing}) {
    if (entry.is_directory()) visit(entry.path());
  }
}

/// Also those without SSTables: their rows may be in the commit log alone.
std::vector<std::string> user_tables(const fs::path& data) {
  std::vector<std::string> tables;
  for_each_directory(data, [&](const fs::path& keyspace) {
    if (lib::is_system_keyspace(keyspace.filename().string())) return;
    for_each_directory(keyspace, [&](const fs::path& table) {
      const auto name = lib::parse_table_directory(table.filename().string());
      if (!name || tables.size() >= kTablesNamed) return;
      tables.push_back(keyspace.filename().string() + "." + name->table);
    });
  });
  std::ranges::sort(tables);
  return tables;
}

/// Of what it links to, as a disk's directory may be.
std::optional<::dev_t> device_of(const fs::path& path) {
  struct ::stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return status.st_dev;
}

/// What `device` gets back when all below `directories` is removed: the blocks of the files on it, of which no name is
/// elsewhere. Only those with several names are remembered, until all were seen.
std::uint64_t bytes_given_back(const std::vector<fs::path>& directories, ::dev_t device) {
  std::uint64_t bytes = 0;
  std::map<std::pair<::dev_t, ::ino_t>, ::nlink_t> names_seen;
  std::error_code ignored;  // files come and go while Cassandra runs
  for (const auto& directory : directories) {
    if (device_of(directory) != device) continue;
    for (auto at = fs::recursive_directory_iterator{directory, ignored}; at != fs::recursive_directory_iterator{};
         at.increment(ignored)) {
      const auto status = status_of(at->path());
      if (!status) continue;
      if (S_ISDIR(status->st_mode)) {
        if (status->st_dev != device) at.disable_recursion_pending();
        continue;
      }
      if (status->st_nlink > 1) {
        const auto seen = names_seen.try_emplace({status->st_dev, status->st_ino}).first;
        if (++seen->second < status->st_nlink) continue;
        names_seen.erase(seen);
      }
      bytes += static_cast<std::uint64_t>(status->st_blocks) * 512;  // a unit of its own (stat(2))
    }
  }
  return bytes;
}

}  // namespace

ConfigurationResult Extension::get_configuration() {
  require_data_directory();
  const auto config = configuration();
  ConfigurationResult result;
  result.access_level = options_->access_level;
  result.cluster_name = config.cluster_name;
  result.seeds = config.seeds;
  try {
    result.own_addresses = lib::own_addresses(config);
    if (!config.has_simple_seed_provider()) {
      fail(ErrorKind::invalid, "it takes its seeds from {}: whether they are nodes of this cluster cannot be known",
           config.seed_provider);
    }
    for (const auto& seed : config.seeds)
      result.seed_addresses.push_back(lib::seed_addresses(config, result.own_addresses, seed));
  } catch (const Error& error) {
    result.address_error = error.in_context(options_->client.config_path.value()).message();
  }
  result.num_tokens = config.num_tokens;
  if (const auto location = lib::configured_location(config, options_->client.config_path.value())) {
    result.datacenter = location->datacenter;
    result.rack = location->rack;
  }
  if (const auto begun = restore_marker().read()) {
    const auto is_aside = [&](const fs::path& directory) {
      return status_of(directory.string() + begun->suffix).has_value();
    };
    if (restore_marker().is_alone(*begun, directories())) {
      result.restoring = begun->suffix;
      result.cleared = begun->cleared;
    } else if (std::ranges::any_of(directories().all(), is_aside)) {
      result.given_up = begun->suffix;
    }
  }
  result.user_tables = user_tables(data_directory());
  for (const auto& directory : directories().all()) {
    const auto own = status_of(directory), above = status_of(directory.parent_path());
    if (own && above && own->st_dev != above->st_dev) result.mount_points.push_back(directory.string());
  }
  // The data may have a disk of its own.
  const fs::path data = status_of(data_directory()) ? data_directory() : node_.root;
  struct ::statvfs space {};
  if (::statvfs(data.c_str(), &space) != 0)
    fail_errno(errno, fmt::format("reading the free space of {}", data.string()));
  result.available_bytes = static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize;
  result.available_files = space.f_favail;
  if (const auto device = device_of(data)) result.data_bytes = bytes_given_back(directories().all(), *device);
  return result;
}

}  // namespace cherax::plugins::cassandra
