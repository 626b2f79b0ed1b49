#include "base/json_stream.h"
#include "base/log.h"
#include "http/json_body.h"
#include "node/node.h"

namespace cherax::node {

namespace {

/// Astacus' shape of a SnapshotResult that is not there yet.
json::value snapshot_shape(const api::NodeResult& result, Timestamp start) {
  api::SnapshotSummary summary;
  summary.start = start;
  static_cast<api::NodeResult&>(summary) = result;
  json::value value = json::to_value(summary);
  value.get_object()["state"] = json::object{};
  value.get_object()["hashes"] = nullptr;
  return value;
}

std::vector<snapshot::Group> groups_of(const api::SnapshotRequest& request) {
  std::vector<snapshot::Group> groups;
  for (const api::SnapshotGroup& group : request.groups) {
    std::optional<std::uint64_t> limit;
    if (group.embedded_file_size_max) limit = std::max<std::int64_t>(*group.embedded_file_size_max, 0);
    groups.push_back({group.root_glob, group.excluded_names, limit, group.immutable});
  }
  return groups;
}

api::SnapshotFile to_api(const snapshot::SnapshotFile& file) {
  api::SnapshotFile out{file.relative_path, file.file_size, file.mtime_ns, {}, {}, file.allocated_size};
  if (const auto* digest = std::get_if<Digest>(&file.body)) {
    out.hexdigest = digest->hex();
  } else {
    out.content_b64 = to_base64(std::get<Bytes>(file.body));
  }
  return out;
}

api::Progress to_api(const snapshot::Progress& progress) {
  api::Progress out;
  out.total = static_cast<std::int64_t>(progress.files_total.load());
  out.handled = static_cast<std::int64_t>(progress.files_done.load());
  out.bytes_total = static_cast<std::int64_t>(progress.bytes_total.load());
  out.bytes = static_cast<std::int64_t>(progress.bytes_done.load());
  return out;
}

/// The whole SnapshotResult as text, streamed: files and hashes in byte order of their paths.
http::Body write_result(snapshot::Snapshotter& snapshotter, const api::SnapshotSummary& summary,
                        const std::vector<snapshot::Group>& groups, const std::filesystem::path& directory) {
  http::BodySpool spool{directory};
  json::StreamWriter writer{spool};
  writer.begin_object();
  const json::value head = json::to_value(summary);  // a temporary in the loop's head would be gone in its body
  for (const auto& [key, value] : head.get_object()) writer.member(key, value);
  writer.key("state");
  writer.begin_object();
  writer.key("root_globs");
  writer.begin_array();
  for (const auto& group : groups) writer.write(group.root_glob);
  writer.end_array();
  if (summary.files > 0) {  // Astacus leaves empty lists out
    writer.key("files");
    writer.begin_array();
    snapshotter.for_each([&](const snapshot::SnapshotFile& file) { writer.write(to_api(file)); });
    writer.end_array();
  }
  writer.end_object();
  writer.key("hashes");
  writer.begin_array();
  snapshotter.for_each([&](const snapshot::SnapshotFile& file) {
    if (const auto* digest = std::get_if<Digest>(&file.body)) writer.write(api::SnapshotHash{*digest, file.file_size});
  });
  writer.end_array();
  writer.end_object();
  writer.flush();
  return spool.take();
}

}  // namespace

http::Response Node::start_snapshot(const http::Request& request) {
  const auto body = http::read_body<api::SnapshotRequest>(request);
  require_lock();
  const Timestamp begin = clock_.now();
  const auto shape = [begin](const api::NodeResult& result) { return snapshot_shape(result, begin); };
  return start(request, "snapshot", body.result_url, shape, [this, begin, groups = groups_of(body)](Task& task) {
    api::SnapshotSummary summary;
    summary.start = begin;
    snapshot::Progress progress;
    snapshot::SnapshotTotals totals;
    {
      const Task::Watch watch{task, [&] { return to_api(progress); }};
      totals = snapshotter_.take(groups, progress, task.stop());
    }
    log::info("{} files of {} bytes, of which {} files of {} bytes were read", totals.files, totals.bytes,
              totals.files_read, totals.bytes_read);
    static_cast<api::NodeResult&>(summary) = task.final_result();
    summary.end = clock_.now();
    summary.files = static_cast<std::int64_t>(totals.files);
    summary.total_size = static_cast<std::int64_t>(totals.bytes);
    return write_result(snapshotter_, summary, groups, options_.temporary_directory);
  });
}

}  // namespace cherax::node
