#include <unistd.h>

#include "http/json_body.h"
#include "node/node.h"
#include "snapshot/compare.h"
#include "snapshot/glob.h"
#include "snapshot/materialize.h"

namespace cherax::node {

namespace {

/// In Astacus' unit: one for each file and one for each of its bytes.
api::Progress to_api(const snapshot::Progress& progress) {
  api::Progress out;
  out.bytes = static_cast<std::int64_t>(progress.bytes_done.load());
  out.bytes_total = static_cast<std::int64_t>(progress.bytes_total.load());
  out.handled = static_cast<std::int64_t>(progress.files_done.load()) + out.bytes;
  out.total = static_cast<std::int64_t>(progress.files_total.load()) + out.bytes_total;
  return out;
}

/// Tells the materializer every file of the node's snapshot that the request wants.
void want_files(const repository::SpooledManifest& manifest, const api::DownloadRequest& request,
                snapshot::Materializer& materializer) {
  const auto node = static_cast<std::size_t>(request.snapshot_index);
  const auto matching = snapshot::GroupSet::of_globs(request.root_globs);
  const auto excluded = snapshot::GroupSet::of_globs(request.excluded_globs);
  const auto head = manifest.read({.file = [&](std::size_t of, const api::SnapshotFile& file) {
    if (of != node || excluded.rules_for(file.relative_path)) return;
    if (request.only_matching && !matching.rules_for(file.relative_path)) return;
    materializer.want(snapshot::from_message(file));
  }});
  if (node >= head.snapshot_results.size()) {
    fail(ErrorKind::invalid, "the backup has {} snapshots, there is no number {}", head.snapshot_results.size(), node);
  }
}

}  // namespace

http::Response Node::start_download(const http::Request& request) {
  const auto body = http::read_body<api::DownloadRequest>(request);
  require_lock();
  return start(request, "download", body.result_url, plain_shape, [this, body](Task& task) {
    repository::Repository& storage = storages_.find(body.storage);
    const auto name = repository::BackupName::parse(body.backup_name).value();
    const auto manifest = storage.manifests().open(name);

    snapshot::MaterializerOptions options;
    options.root = options_.root;
    options.globs = body.root_globs;
    options.workers = options_.parallel.downloads;
    options.owner_of_parent = ::geteuid() == 0;
    snapshot::Materializer materializer{options, snapshotter_.index(), clock_};
    want_files(manifest, body, materializer);

    snapshot::Progress progress;
    {
      // A check has no progress: nothing of what there is to do gets done.
      std::optional<Task::Watch> watch;
      if (!body.check_only) watch.emplace(task, [&] { return to_api(progress); });
      materializer.compare(progress, task.stop());
      snapshot::require_space(materializer.required_space());
      if (!body.check_only) {
        materializer.restore(
            [&](const Digest& digest, std::uint64_t size, Sink& sink) { storage.reader().fetch(digest, size, sink); },
            progress, task.stop());
      }
    }
    return http::Body{json::to_text(task.final_result())};
  });
}

}  // namespace cherax::node
