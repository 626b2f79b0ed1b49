#include "coordinator/backup.h"

#include <algorithm>

#include "base/json_stream.h"
#include "repository/presence.h"

namespace cherax::coordinator {

Backup::Backup(OperationContext context, repository::Repository& storage, std::int64_t attempt)
    : context_(context),
      storage_(storage),
      nodes_(context.cluster, context.operation),
      attempt_(attempt),
      start_(context.clock.now()) {
  if (context_.cluster.size() == 0) fail(ErrorKind::invalid, "coordinator.nodes is empty: there is nothing to back up");
}

Backup::~Backup() { release(); }

void Backup::release() {
  if (std::exchange(holds_links_, false))
    nodes_.clean_up("release", api::ReleaseRequest{.hexdigests = {}, .all = true});
}

void Backup::snapshot(const std::vector<api::SnapshotGroup>& groups) {
  holds_links_ = true;
  api::SnapshotRequest request;
  request.groups = groups;
  snapshots_ =
      nodes_.all("snapshot", request, [this](const api::Progress& progress) { context_.plan.progress(progress); });
  BlockTable table;
  for (std::size_t node = 0; node < snapshots_.size(); ++node) {
    in_context(fmt::format("the snapshot of {}", context_.cluster.name(node)), [&] {
      const auto source = snapshots_[node].open();
      json::parse_stream(*source, {{"hashes",
                                    [&](const json::Indices&, const json::value& value) {
                                      const auto hash = json::read<api::SnapshotHash>(value).value();
                                      table.add(Block::on(static_cast<std::uint16_t>(node), hash.hexdigest, hash.size));
                                    }},
                                   {"state.files", [](const json::Indices&, const json::value&) {}}});
    });
  }
  blocks_ = table.take();
}

void Backup::find_missing() {
  const auto grace = context_.cluster.options().gc_grace;
  const Timestamp long_ago = context_.clock.now() - grace / 2;
  repository::find_present(storage_.store(),
                           {blocks_.size(), [this](std::size_t i) -> const Digest& { return blocks_[i].digest; }},
                           [&](std::size_t i, Timestamp modified) {
                             blocks_[i].presence = modified < long_ago ? Block::stored_long_ago : Block::stored;
                           },
                           {.stop = context_.plan.stop()});
  std::uint64_t bytes = 0;
  std::size_t missing = 0;
  for (const Block& block : blocks_) {
    if (block.presence != Block::missing) continue;
    ++missing;
    bytes += block.size;
  }
  log::info("object storage lacks {} of {} contents, {} bytes", missing, blocks_.size(), bytes);
}

void Backup::upload() {
  // A request may be long, so it is written as it is decided, node by node side by side.
  struct Request {
    http::BodySpool spool;
    json::StreamWriter writer{spool};
    bool empty = true;
  };
  std::vector<std::unique_ptr<Request>> requests;
  for (std::size_t node = 0; node < context_.cluster.size(); ++node) {
    auto& request =
        *requests.emplace_back(new Request{http::BodySpool{context_.cluster.options().temporary_directory}});
    request.writer.begin_object();
    request.writer.member("storage", storage_.name());
    request.writer.member("result_url", context_.operation.result_url(node));
    request.writer.key("hashes");
    request.writer.begin_array();
  }
  distribute(blocks_, context_.cluster.size(), [&](std::size_t node, const Block& block) {
    requests[node]->writer.write(api::SnapshotHash{block.digest, block.size});
    requests[node]->empty = false;
  });
  std::vector<std::optional<http::Body>> bodies(requests.size());
  for (std::size_t node = 0; node < requests.size(); ++node) {
    Request& request = *requests[node];
    if (request.empty) continue;
    request.writer.end_array();
    request.writer.end_object();
    request.writer.flush();
    bodies[node] = request.spool.take();
  }
  requests.clear();
  const auto results = nodes_.each("upload", std::move(bodies),
                                   [this](const api::Progress& progress) { context_.plan.progress(progress); });
  for (const auto& result : results) {
    if (result) uploads_.push_back(coordinator::read_result<api::UploadResult>(*result));
  }
}

void Backup::require_still_stored() {
  const auto long_ago =
      std::ranges::partition(blocks_, [](const Block& block) { return block.presence != Block::stored_long_ago; });
  const std::span doubtful{long_ago.begin(), long_ago.end()};
  std::ranges::sort(doubtful, {}, &Block::digest);
  repository::find_present(
      storage_.store(), {doubtful.size(), [&](std::size_t i) -> const Digest& { return doubtful[i].digest; }},
      [&](std::size_t i, Timestamp) { doubtful[i].presence = Block::stored; }, {.stop = context_.plan.stop()});
  for (const Block& block : doubtful) {
    if (block.presence == Block::stored) continue;
    fail(ErrorKind::transient, "{} vanished from {} during the backup: does anything else delete there?",
         block.digest.hex(), storage_.store().describe());
  }
}

void Backup::write_manifest(std::string_view plugin, json::value plugin_data) {
  require_still_stored();
  context_.lock.relock();
  context_.operation.throw_if_cancelled();
  std::vector<std::unique_ptr<Source>> sources;
  repository::NewManifest manifest;
  for (const http::Body& snapshot : snapshots_) {
    sources.push_back(snapshot.open());
    manifest.snapshot_results.push_back(sources.back().get());
  }
  manifest.start = start_;
  manifest.end = context_.clock.now();
  manifest.attempt = attempt_;
  manifest.plugin = plugin;
  manifest.plugin_data = std::move(plugin_data);
  manifest.upload_results = uploads_;
  const auto name = storage_.manifests().put(manifest);
  context_.operation.set_backup(name.full());
  log::info("wrote {}", name.full());
}

}  // namespace cherax::coordinator
