#include "coordinator/restore.h"

#include <algorithm>
#include <map>

namespace cherax::coordinator {

using repository::BackupName;

Restore::Restore(OperationContext context, repository::Repository& storage, const api::RestoreRequest& request)
    : context_(context), storage_(storage), request_(request), nodes_(context.cluster, context.operation) {}

void Restore::find_backup() {
  auto names = storage_.manifests().list();
  std::erase_if(names, [](const BackupName& name) { return name.kind() != BackupName::Kind::backup; });
  if (request_.name.empty()) {
    if (names.empty()) fail(ErrorKind::not_found, "{} holds no backup", storage_.store().describe());
    backup_ = names.back();
  } else {
    backup_ = BackupName::parse(request_.name).value();
    if (std::ranges::find(names, *backup_) == names.end()) {
      constexpr std::size_t kShown = 5;
      std::string latest;
      for (std::size_t i = names.size() - std::min(names.size(), kShown); i < names.size(); ++i) {
        latest += fmt::format("{}{}", latest.empty() ? "" : ", ", names[i].full());
      }
      fail(ErrorKind::not_found, "{} holds no backup \"{}\"; its latest are: {}", storage_.store().describe(),
           request_.name, latest.empty() ? "none" : latest);
    }
  }
  context_.operation.set_backup(backup_->full());
}

const repository::Manifest& Restore::read_manifest(std::string_view plugin) {
  manifest_ = storage_.manifests().open(backup()).read();
  if (manifest_->plugin != plugin) {
    fail(ErrorKind::invalid, "{} was made by the plugin {}, but this coordinator is configured for {}", backup().full(),
         manifest_->plugin, plugin);
  }
  return *manifest_;
}

namespace {

/// Indices by zone, the largest zone first.
std::vector<std::vector<std::size_t>> by_zone(std::size_t count,
                                              const std::function<const std::string&(std::size_t)>& az_of) {
  std::map<std::string, std::vector<std::size_t>> zones;
  for (std::size_t i = 0; i < count; ++i) zones[az_of(i)].push_back(i);
  std::vector<std::vector<std::size_t>> sorted;
  for (auto& [az, members] : zones) sorted.push_back(std::move(members));
  std::ranges::stable_sort(sorted, std::greater{}, &std::vector<std::size_t>::size);
  return sorted;
}

}  // namespace

NodeMapping Restore::map_nodes_by_az() const {
  if (request_.partial_restore_nodes) return partial_mapping();
  const auto& snapshots = manifest().snapshot_results;
  const auto& nodes = context_.cluster.options().nodes;
  if (snapshots.size() > nodes.size()) {
    fail(ErrorKind::invalid, "the backup is of {} nodes, but only {} are configured", snapshots.size(), nodes.size());
  }
  const auto backup_zones =
      by_zone(snapshots.size(), [&](std::size_t i) -> const std::string& { return snapshots[i].az; });
  const auto zones = by_zone(nodes.size(), [&](std::size_t i) -> const std::string& { return nodes[i].az; });
  if (backup_zones.size() > zones.size()) {
    fail(ErrorKind::invalid, "the backup is of {} availability zones, but only {} are configured", backup_zones.size(),
         zones.size());
  }
  NodeMapping mapping(nodes.size());
  for (std::size_t zone = 0; zone < backup_zones.size(); ++zone) {
    if (backup_zones[zone].size() > zones[zone].size()) {
      fail(ErrorKind::invalid, "the backup's zone \"{}\" has {} nodes, but zone \"{}\", which would take them, only {}",
           snapshots[backup_zones[zone].front()].az, backup_zones[zone].size(), nodes[zones[zone].front()].az,
           zones[zone].size());
    }
    for (std::size_t i = 0; i < backup_zones[zone].size(); ++i) mapping[zones[zone][i]] = backup_zones[zone][i];
  }
  return mapping;
}

NodeMapping Restore::partial_mapping() const {
  const auto& snapshots = manifest().snapshot_results;
  const auto& nodes = context_.cluster.options().nodes;
  NodeMapping mapping(nodes.size());
  for (const api::PartialRestoreNode& entry : *request_.partial_restore_nodes) {
    if (entry.backup_index.has_value() == entry.backup_hostname.has_value() ||
        entry.node_index.has_value() == entry.node_url.has_value()) {
      fail(ErrorKind::invalid,
           "partial_restore_nodes: an entry has exactly one of backup_index and backup_hostname, and one of node_index "
           "and node_url");
    }
    const auto find = [](const char* what, std::size_t count, std::optional<std::int64_t> index, const auto& matches) {
      for (std::size_t i = 0; i < count; ++i) {
        if (index ? static_cast<std::int64_t>(i) == *index : matches(i)) return i;
      }
      fail(ErrorKind::invalid, "partial_restore_nodes: no {} is the one that is named", what);
    };
    const auto from = find("node of the backup", snapshots.size(), entry.backup_index,
                           [&](std::size_t i) { return snapshots[i].hostname == entry.backup_hostname; });
    const auto to = find("configured node", nodes.size(), entry.node_index,
                         [&](std::size_t i) { return nodes[i].url == entry.node_url; });
    if (mapping[to]) fail(ErrorKind::invalid, "partial_restore_nodes: {} is named twice", context_.cluster.name(to));
    mapping[to] = from;
  }
  return mapping;
}

std::vector<std::string> Restore::globs_of(std::size_t index, const Selection& selection) const {
  const auto& snapshot = manifest().snapshot_results.at(index);
  return selection.globs.empty() && snapshot.state ? snapshot.state->root_globs : selection.globs;
}

api::DownloadRequest Restore::download_request(std::size_t node, std::size_t index, const Selection& selection) const {
  api::DownloadRequest request;
  request.result_url = context_.operation.result_url(node);
  request.storage = storage_.name();
  request.backup_name = backup().full();
  request.snapshot_index = static_cast<std::int64_t>(index);
  request.root_globs = globs_of(index, selection);
  request.only_matching = !selection.globs.empty();
  request.excluded_globs = selection.excluded_globs;
  return request;
}

void Restore::require_space(const NodeMapping& mapping) {
  if (!context_.cluster.all_have_feature("check_only")) return;  // such a node looks when it begins
  std::vector<std::optional<http::Body>> requests(mapping.size());
  for (std::size_t node = 0; node < mapping.size(); ++node) {
    if (!mapping[node]) continue;
    auto request = download_request(node, *mapping[node], {});
    request.check_only = true;
    requests[node] = http::Body{json::to_text(request)};
  }
  nodes_.each("download", std::move(requests), {});
}

void Restore::download(const NodeMapping& mapping, const Selection& selection) {
  std::vector<std::optional<http::Body>> downloads(mapping.size()), clears(mapping.size());
  for (std::size_t node = 0; node < mapping.size(); ++node) {
    if (mapping[node]) {
      downloads[node] = http::Body{json::to_text(download_request(node, *mapping[node], selection))};
    } else if (!request_.partial_restore_nodes && !manifest().snapshot_results.empty()) {
      api::ClearRequest request;
      request.result_url = context_.operation.result_url(node);
      request.root_globs = globs_of(0, selection);
      clears[node] = http::Body{json::to_text(request)};
    }
  }
  nodes_.each("download", std::move(downloads),
              [this](const api::Progress& progress) { context_.plan.progress(progress); });
  nodes_.each("clear", std::move(clears), {});
}

}  // namespace cherax::coordinator
