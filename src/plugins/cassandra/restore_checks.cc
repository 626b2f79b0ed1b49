#include "plugins/cassandra/restore_checks.h"

#include <algorithm>
#include <set>

#include "cassandra/node_mapping.h"
#include "cassandra/sstable.h"
#include "plugins/cassandra/ring_checks.h"

namespace cherax::plugins::cassandra {

namespace lib = ::cherax::cassandra;

namespace {

/// Not restored: Cassandra makes them anew. The roles in system_auth are.
constexpr std::array<std::string_view, 4> kSystemKeyspaces{"system", "system_distributed", "system_schema",
                                                           "system_traces"};

std::string joined(const std::vector<std::string>& texts) { return fmt::format("{}", fmt::join(texts, ", ")); }

/// The globs of the snapshot with a keyspace in place of `*`.
std::vector<std::string> snapshot_globs_of(std::string_view keyspace) {
  constexpr std::string_view kAnyKeyspace = "data/*/";
  std::vector<std::string> globs;
  for (std::string glob : lib::snapshot_globs(kSnapshotTag)) {
    globs.push_back(glob.replace(0, kAnyKeyspace.size(), fmt::format("data/{}/", keyspace)));
  }
  return globs;
}

std::vector<lib::Place> places_of(const coordinator::Restore& restore, const PluginData& data) {
  std::vector<lib::Place> places;
  for (std::size_t i = 0; i < data.nodes.size(); ++i) {
    const auto& node = data.nodes[i];
    places.push_back(
        {node.datacenter, node.rack, restore.manifest().snapshot_results[i].az, node.address, node.address});
  }
  return places;
}

/// The backup knows racks; where a node's snitch does not tell its own before it runs, the operator has to.
void require_known_racks(const std::vector<lib::Place>& backup, const std::vector<lib::Place>& nodes) {
  if (!std::ranges::all_of(backup, [](const lib::Place& place) { return !place.rack.empty(); })) return;
  for (const auto& node : nodes) {
    if (!node.rack.empty() || !node.az.empty()) continue;
    fail(ErrorKind::invalid,
         "the rack of {} is not known before its Cassandra runs (its snitch reads no file that Cherax knows), and the "
         "backup's nodes are in racks; nothing was touched. Set `az` of every node in coordinator.nodes to its rack",
         node.name);
  }
}

/// Of a name every address: any of them may be asked.
void require_own_seed(const ConfigurationResult& target, std::size_t index, const std::set<std::string>& own,
                      std::string_view node) {
  const auto& seed = target.seeds[index];
  const auto& addresses = target.seed_addresses.at(index);
  const auto foreign = std::ranges::find_if(addresses, [&](const std::string& one) { return !own.contains(one); });
  if (foreign == addresses.end() && !addresses.empty()) return;
  const bool is_named = foreign == addresses.end() || seed.find(*foreign) != std::string::npos;
  fail(ErrorKind::invalid,
       "the seed {}{} of {} is no node of this restore: a restored node must never join another ring", seed,
       is_named ? "" : fmt::format(" ({})", *foreign), node);
}

}  // namespace

std::vector<ConfigurationResult> require_own_seeds(coordinator::Restore& restore) {
  if (restore.request().partial_restore_nodes) {
    fail(ErrorKind::invalid, "a Cassandra cluster is restored as a whole: partial_restore_nodes is not supported");
  }
  const auto& cluster = restore.cluster();
  auto targets =
      read_results<ConfigurationResult>(restore.nodes().all("cassandra/get-configuration", api::NodeRequest{}));
  std::set<std::string> own;
  for (std::size_t node = 0; node < targets.size(); ++node) {
    const auto& target = targets[node];
    if (!target.address_error.empty()) fail(ErrorKind::invalid, "{}: {}", cluster.name(node), target.address_error);
    own.insert(target.own_addresses.begin(), target.own_addresses.end());
  }
  for (std::size_t node = 0; node < targets.size(); ++node) {
    const auto& target = targets[node];
    if (target.cluster_name != targets.front().cluster_name) {
      fail(ErrorKind::invalid, "{} is of the cluster \"{}\", {} of \"{}\"", cluster.name(0),
           targets.front().cluster_name, cluster.name(node), target.cluster_name);
    }
    for (std::size_t i = 0; i < target.seeds.size(); ++i) require_own_seed(target, i, own, cluster.name(node));
  }
  return targets;
}

void require_clearable(const coordinator::Restore& restore, const std::vector<ConfigurationResult>& targets,
                       const PluginOptions& options) {
  for (std::size_t node = 0; node < targets.size(); ++node) {
    if (targets[node].access_level == AccessLevel::write) continue;
    fail(ErrorKind::denied, "{} allows backups only (node.cassandra.access_level: read); nothing was touched",
         restore.cluster().name(node));
  }
  for (std::size_t node = 0; node < targets.size(); ++node) {
    if (targets[node].mount_points.empty() || restore.request().discard_old) continue;
    fail(ErrorKind::invalid,
         "{} has file systems of their own in {}, which cannot be set aside; nothing was touched. To remove what they "
         "hold at once: --discard-old",
         restore.cluster().name(node), joined(targets[node].mount_points));
  }
  for (std::size_t node = 0; node < targets.size(); ++node) {
    if (targets[node].given_up != suffix_of(restore) || restore.request().discard_old) continue;
    fail(ErrorKind::invalid,
         "a restore of this backup was begun on {} and has set aside <directory>{}, but Cassandra has run in the "
         "directories since by itself; nothing was touched. Move away what is not needed, or, to remove at once what "
         "came since: --overwrite --discard-old",
         restore.cluster().name(node), suffix_of(restore));
  }
  if (restore.request().overwrite || options.restore_overwrite) return;
  for (std::size_t node = 0; node < targets.size(); ++node) {
    if (targets[node].user_tables.empty() || targets[node].restoring == suffix_of(restore)) continue;
    fail(ErrorKind::invalid, "{} holds tables ({}); nothing was touched. To replace them by the backup: --overwrite",
         restore.cluster().name(node), joined(targets[node].user_tables));
  }
}

PluginData parse_plugin_data(const repository::Manifest& manifest) {
  auto data = json::read<PluginData>(manifest.plugin_data);
  if (!data) throw Error{ErrorKind::corrupt, data.error().message()}.in_context("the manifest's plugin_data");
  if (data->nodes.size() != manifest.snapshot_results.size()) {
    fail(ErrorKind::corrupt, "the manifest has {} nodes, but {} snapshots", data->nodes.size(),
         manifest.snapshot_results.size());
  }
  for (const auto& table : lib::tables_without_statement(data->cassandra_schema)) {
    log::warning("{} has no statement in the backup (a compact table) and is left out", table);
  }
  return *data;
}

coordinator::NodeMapping map_nodes(const coordinator::Restore& restore, const PluginData& data,
                                   const std::vector<ConfigurationResult>& targets, const PluginOptions& options) {
  const auto& cluster = restore.cluster();
  const auto backup = places_of(restore, data);
  std::vector<lib::Place> places;
  for (std::size_t node = 0; node < targets.size(); ++node) {
    std::string address = targets[node].own_addresses.empty() ? "" : targets[node].own_addresses.front();
    if (options.nodes && node < options.nodes->size() && (*options.nodes)[node].address)
      address = *(*options.nodes)[node].address;
    places.push_back(
        {targets[node].datacenter, targets[node].rack, cluster.options().nodes[node].az, address, cluster.name(node)});
  }
  require_known_racks(backup, places);
  coordinator::NodeMapping mapping(places.size());
  const auto chosen = lib::map_nodes(backup, places);
  for (std::size_t i = 0; i < chosen.size(); ++i) mapping[chosen[i]] = i;
  for (std::size_t node = 0; node < mapping.size(); ++node) {
    if (mapping[node]) continue;
    fail(ErrorKind::invalid,
         "the backup is of {} nodes, and {} is one too many: restore without it, then let it bootstrap", backup.size(),
         cluster.name(node));
  }
  return mapping;
}

void require_token_counts(const coordinator::Restore& restore, const PluginData& data,
                          const coordinator::NodeMapping& mapping, const std::vector<ConfigurationResult>& targets) {
  for (std::size_t node = 0; node < mapping.size(); ++node) {
    const auto tokens = std::ssize(data.nodes.at(mapping[node].value()).tokens);
    if (targets[node].num_tokens == tokens) continue;
    fail(ErrorKind::invalid,
         "cassandra.yaml of {} has num_tokens: {}, but the backup's node that comes there has {} tokens: Cassandra "
         "would not start with it after the restore; nothing was touched. Set num_tokens to {}",
         restore.cluster().name(node), targets[node].num_tokens, tokens, tokens);
  }
}

void require_racks_kept(const coordinator::Restore& restore, const PluginData& data,
                        const coordinator::NodeMapping& mapping, const std::vector<RingResult>& rings) {
  const auto backup = places_of(restore, data);
  std::vector<lib::Place> moved(backup.size());
  for (std::size_t node = 0; node < mapping.size(); ++node) {
    moved[mapping[node].value()] = {rings[node].datacenter, rings[node].rack, "", rings[node].address,
                                    restore.cluster().name(node)};
  }
  lib::require_racks_kept(backup, moved);
}

void require_space(const coordinator::Restore& restore, const coordinator::NodeMapping& mapping,
                   const std::vector<ConfigurationResult>& targets) {
  for (std::size_t node = 0; node < mapping.size(); ++node) {
    const auto& snapshot = restore.manifest().snapshot_results.at(mapping[node].value());
    const auto needed = static_cast<std::uint64_t>(snapshot.total_size);
    // What is set aside keeps its space until the restore has succeeded; what is there after an earlier attempt at this
    // restore has cleared the node is only that attempt's.
    const bool continued = targets[node].restoring == suffix_of(restore) && targets[node].cleared;
    const bool discarded = restore.request().discard_old || continued;
    const auto available = targets[node].available_bytes + (discarded ? targets[node].data_bytes : 0);
    if (needed > available) {
      fail(ErrorKind::invalid, "{} has {} bytes free, but the restore needs {}; nothing was touched{}",
           restore.cluster().name(node), available, needed,
           restore.request().discard_old ? "" : ". With --discard-old the present data is removed first");
    }
    if (static_cast<std::uint64_t>(snapshot.files) > targets[node].available_files) {
      fail(ErrorKind::invalid, "{} has {} inodes free, but the restore needs {}; nothing was touched",
           restore.cluster().name(node), targets[node].available_files, snapshot.files);
    }
  }
}

TokensOfNodes tokens_of(const coordinator::NodeMapping& mapping, const PluginData& data) {
  TokensOfNodes tokens;
  for (const auto& index : mapping) tokens.push_back(data.nodes.at(index.value()).tokens);
  return tokens;
}

std::string suffix_of(const coordinator::Restore& restore) { return ".before-" + restore.backup().full(); }

ClearRequest clear_request(const coordinator::Restore& restore) {
  ClearRequest request;
  request.suffix = suffix_of(restore);
  request.discard = restore.request().discard_old;
  return request;
}

FinishRequest finish_request(const coordinator::Restore& restore) {
  FinishRequest request;
  request.suffix = suffix_of(restore);
  return request;
}

PlaceRequest only_roles() {
  PlaceRequest request;
  request.keyspaces = {"system_auth"};
  return request;
}

PlaceRequest all_but_system() {
  PlaceRequest request;
  request.keyspaces_to_skip.assign(kSystemKeyspaces.begin(), kSystemKeyspaces.end());
  return request;
}

coordinator::Restore::Selection roles_selection() { return {snapshot_globs_of("system_auth"), {}}; }

coordinator::Restore::Selection data_selection(const lib::Schema& schema) {
  coordinator::Restore::Selection selection{lib::snapshot_globs(kSnapshotTag), {}};
  auto& excluded = selection.excluded_globs;
  for (const auto keyspace : kSystemKeyspaces) excluded.push_back(fmt::format("data/{}/**", keyspace));
  excluded.push_back(fmt::format("data/*/*/snapshots/{}/.*/*", kSnapshotTag));     // legacy indexes
  excluded.push_back(fmt::format("data/*/*/snapshots/{}/*-SAI+*", kSnapshotTag));  // storage-attached indexes
  for (const auto& keyspace : schema.keyspaces) {
    for (const auto& table : keyspace.tables) {
      for (const auto& view : table.materialized_views)
        excluded.push_back(fmt::format("data/{}/{}-*/**", keyspace.name, view.name));
    }
  }
  return selection;
}

}  // namespace cherax::plugins::cassandra
