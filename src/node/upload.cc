#include <fcntl.h>

#include <atomic>

#include "base/json_stream.h"
#include "base/log.h"
#include "base/parallel.h"
#include "http/json_body.h"
#include "node/node.h"

namespace cherax::node {

namespace {

json::value upload_shape(const api::NodeResult& result) {
  api::UploadResult upload;
  static_cast<api::NodeResult&>(upload) = result;
  return json::to_value(upload);
}

/// The request with its hashes, the largest first. 422 when it is not as it should be.
std::pair<api::UploadRequest, std::vector<api::SnapshotHash>> read_request(const http::Request& request) {
  if (request.body.empty() || !http::is_json(request)) http::read_body<api::UploadRequest>(request);  // refuses it
  std::vector<api::SnapshotHash> hashes;
  json::value rest;
  try {
    const auto source = request.body.open();
    rest = json::parse_stream(*source, {{"hashes", [&](const json::Indices&, const json::value& hash) {
                                           hashes.push_back(json::read<api::SnapshotHash>(hash).value());
                                         }}});
  } catch (const json::BrokenJson& broken) {
    http::refuse_broken_json(broken.syntax.offset, broken.syntax.what);
  } catch (const Error& error) {
    http::refuse(422, json::value(error.message()));
  }
  std::ranges::sort(hashes, std::greater{}, &api::SnapshotHash::size);
  return {http::read_request<api::UploadRequest>(rest, "body"), std::move(hashes)};
}

/// The first `size` bytes of a file: what was appended since it was hashed is not of this snapshot.
class BlockSource final : public Source {
 public:
  BlockSource(File& file, std::uint64_t size, std::stop_token stop)
      : file_(file), rest_(size), stop_(std::move(stop)) {}
  std::size_t read(MutableByteView buffer) override {
    if (stop_.stop_requested()) fail(ErrorKind::cancelled, "cancelled");
    const auto size = file_.read(buffer.first(std::min<std::uint64_t>(buffer.size(), rest_)));
    rest_ -= size;
    return size;
  }

 private:
  File& file_;
  std::uint64_t rest_;
  std::stop_token stop_;
};

struct Counters {
  std::atomic<std::int64_t> blocks{0}, failed{0}, bytes{0}, stored_bytes{0};
};

}  // namespace

/// Stores one block from the first of its files that still has the content.
std::uint64_t Node::upload_block(repository::Repository& storage, const api::SnapshotHash& block,
                                 std::stop_token stop) {
  std::optional<std::uint64_t> stored_size;
  std::string problem = "no file of the snapshot has it";
  snapshotter_.find(block.hexdigest, [&](const snapshot::FrozenFile& file) {
    try {
      File open{file.link, O_RDONLY};
      BlockSource source{open, block.size, stop};
      stored_size = storage.writer().store(block.hexdigest, block.size, source);
      return true;
    } catch (const Error& error) {
      // The file has changed since it was hashed, or its link is gone: another one may serve.
      if (error.kind() != ErrorKind::corrupt && error.kind() != ErrorKind::not_found) throw;
      problem = fmt::format("{}: {}", file.relative_path, error.message());
      log::warning("{} is not what was snapshot: {}", file.relative_path, error.message());
      snapshotter_.forget(file.relative_path);
      return false;
    }
  });
  if (!stored_size) fail(ErrorKind::corrupt, "uploading {}: {}", block.hexdigest.hex(), problem);
  return *stored_size;
}

http::Response Node::start_upload(const http::Request& request) {
  auto [body, hashes] = read_request(request);
  require_lock();
  return start(request, "upload", body.result_url, upload_shape,
               [this, storage_name = body.storage, hashes = std::move(hashes)](Task& task) mutable {
                 repository::Repository& storage = storages_.find(storage_name);
                 Counters counters;
                 std::int64_t total_bytes = 0;
                 for (const auto& hash : hashes) total_bytes += static_cast<std::int64_t>(hash.size);
                 std::mutex mutex;
                 std::string first_problem;
                 {
                   const Task::Watch watch{task, [&] {
                                             return api::Progress{counters.blocks, counters.failed, std::ssize(hashes),
                                                                  false,           counters.bytes,  total_bytes};
                                           }};
                   parallel_for_each(
                       options_.parallel.uploads, task.stop(), hashes, [&](const api::SnapshotHash& hash) {
                         try {
                           counters.stored_bytes += static_cast<std::int64_t>(upload_block(storage, hash, task.stop()));
                           counters.bytes += static_cast<std::int64_t>(hash.size);
                           ++counters.blocks;
                         } catch (const Error& error) {
                           if (error.kind() != ErrorKind::corrupt) throw;
                           ++counters.failed;  // the others are uploaded all the same: the next attempt need not
                           std::scoped_lock lock{mutex};
                           if (first_problem.empty()) first_problem = error.message();
                         }
                       });
                   storage.store().sync();
                 }
                 api::UploadResult result;
                 static_cast<api::NodeResult&>(result) = task.final_result();
                 result.error = first_problem;
                 result.total_size = counters.bytes;
                 result.total_stored_size = counters.stored_bytes;
                 return http::Body{json::to_text(result)};
               });
}

}  // namespace cherax::node
