#include "repository/summary.h"

#include <limits>

#include "repository/digest_table.h"

namespace cherax::repository {

namespace {

/// One content's copies: on the node that is being counted, and on the node with most.
struct Copies {
  Digest digest;
  std::uint32_t here = 0;
  std::uint32_t most = 0;
  std::uint64_t size = 0;

  void absorb(const Copies& later) { here += later.here; }
};

/// A manifest may be hostile: a sum stops at the largest number.
void add(std::int64_t& sum, std::int64_t number) {
  if (__builtin_add_overflow(sum, number, &sum)) sum = std::numeric_limits<std::int64_t>::max();
}

class ClusterCount {
 public:
  /// Node by node, in their order.
  void add(std::size_t node, const api::SnapshotFile& file) {
    if (node != node_) end_node();
    node_ = node;
    if (file.content_b64) {
      if (embedded_.most == 0 && embedded_.here == 0) embedded_.size = file.file_size;
      ++embedded_.here;
    } else {
      table_.add({.digest = Digest::from_hex(file.hexdigest).value(), .here = 1, .size = file.file_size});
    }
  }

  void end_node() {
    table_.for_each([&](Copies& copies) { settle(copies); });
    settle(embedded_);
  }

  std::int64_t files() const { return static_cast<std::int64_t>(files_); }
  std::int64_t bytes() const { return static_cast<std::int64_t>(bytes_); }

 private:
  void settle(Copies& copies) {
    if (copies.here > copies.most) {
      files_ += copies.here - copies.most;
      bytes_ += copies.size * (copies.here - copies.most);
      copies.most = copies.here;
    }
    copies.here = 0;
  }

  DigestTable<Copies> table_;
  Copies embedded_;
  std::size_t node_ = 0;
  std::uint64_t files_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace

api::ListEntry summarize(const BackupName& name, const SpooledManifest& spooled) {
  ClusterCount count;
  const Manifest manifest =
      spooled.read({.file = [&](std::size_t node, const api::SnapshotFile& file) { count.add(node, file); }});
  count.end_node();

  api::ListEntry entry;
  entry.name = name.short_name();
  entry.start = manifest.start;
  entry.end = manifest.end;
  entry.plugin = manifest.plugin;
  entry.attempt = manifest.attempt;
  entry.nodes = static_cast<std::int64_t>(manifest.snapshot_results.size());
  for (const NodeSnapshot& snapshot : manifest.snapshot_results) {
    add(entry.files, snapshot.files);
    add(entry.total_size, snapshot.total_size);
  }
  for (const api::UploadResult& upload : manifest.upload_results) {
    add(entry.upload_size, upload.total_size);
    add(entry.upload_stored_size, upload.total_stored_size);
  }
  entry.cluster_files = count.files();
  entry.cluster_data_size = count.bytes();
  if (manifest.tiered_storage_results) {
    entry.tiered_storage_size = manifest.tiered_storage_results->total_size_bytes;
  }
  return entry;
}

}  // namespace cherax::repository
