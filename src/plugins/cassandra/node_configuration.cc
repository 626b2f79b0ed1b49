#include <sys/statvfs.h>

#include <set>

#include "base/file.h"
#include "base/log.h"
#include "base/resolve.h"
#include "cassandra/addresses.h"
#include "cassandra/schema.h"
#include "cassandra/sstable.h"
#include "plugins/cassandra/extension.h"

namespace cherax::plugins::cassandra {

namespace lib = ::cherax::cassandra;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kTablesNamed = 10;

/// `host` (an address or a name, perhaps with a port) as IP addresses; none when it is not known here.
std::vector<std::string> addresses_of(std::string host) {
  if (std::ranges::count(host, ':') == 1) host.resize(host.find(':'));
  if (host.starts_with('[')) host = host.substr(1, host.find(']') - 1);
  std::vector<std::string> texts;
  try {
    const Addresses addresses = resolve(host, 0);
    for (const auto* one = addresses.get(); one; one = one->ai_next) texts.push_back(to_string(*one));
  } catch (const Error& error) {
    log::warning("{}", error.message());
  }
  return texts;
}

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

std::uint64_t bytes_below(const fs::path& directory) {
  std::uint64_t bytes = 0;
  std::error_code ignored;  // files come and go while Cassandra runs
  for (auto at = fs::recursive_directory_iterator{directory, ignored}; at != fs::recursive_directory_iterator{};
       at.increment(ignored)) {
    if (const auto size = at->file_size(ignored); !ignored) bytes += size;
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
  if (!config.has_simple_seed_provider()) {
    fail(ErrorKind::invalid, "{} takes its seeds from {}: whether they are nodes of this cluster cannot be known",
         options_->client.config_path.value(), config.seed_provider);
  }
  try {
    result.own_addresses = lib::resolve_addresses(config).own;
  } catch (const Error& error) {
    result.address_error = error.in_context(options_->client.config_path.value()).message();
  }
  result.seeds = config.seeds;
  for (const auto& seed : config.seeds) {
    auto addresses = addresses_of(seed);
    result.seed_addresses.push_back(addresses.empty() ? seed : addresses.front());
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
  for (const auto& directory : directories().all()) result.data_bytes += bytes_below(directory);
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
  return result;
}

}  // namespace cherax::plugins::cassandra
