#include "repository/garbage.h"

#include "repository/digest_table.h"

namespace cherax::repository {

namespace {

struct Named {
  Digest digest;
  void absorb(const Named&) {}
};
using NamedDigests = DigestTable<Named>;

void require_going_on(const GarbageOptions& options) {
  if (options.stop.stop_requested()) fail(ErrorKind::cancelled, "the cleanup was cancelled");
}

NamedDigests read_remaining(Manifests& manifests, const GarbageOptions& options) {
  NamedDigests named;
  for (const BackupName& name : manifests.list()) {
    require_going_on(options);
    in_context("no block may be removed as long as a manifest cannot be read", [&] {
      manifests.open(name).read({
          .file =
              [&](std::size_t, const api::SnapshotFile& file) {
                if (!file.content_b64) named.add({Digest::from_hex(file.hexdigest).value()});
              },
          .hash = [&](std::size_t, const api::SnapshotHash& hash) { named.add({hash.hexdigest}); },
      });
    });
  }
  return named;
}

}  // namespace

GarbageResult collect_garbage(storage::ObjectStore& store, Manifests& manifests, std::span<const BackupName> remove,
                              Timestamp now, const GarbageOptions& options) {
  require_going_on(options);
  manifests.remove(remove);
  NamedDigests named = read_remaining(manifests, options);

  GarbageResult result;
  std::vector<storage::ObjectKey> batch;
  store.list(std::string{kBlobPrefix}, "", [&](std::span<const storage::ObjectInfo> page) {
    require_going_on(options);
    batch.clear();
    for (const storage::ObjectInfo& info : page) {
      const auto digest = parse_blob_key(info.key);
      const bool young = options.gc_grace.count() > 0 && info.modified > now - options.gc_grace;
      if (!digest || young || named.find(*digest)) {
        ++result.kept;
        continue;
      }
      batch.push_back(info.key);
      result.removed_bytes += info.size;
    }
    store.remove(batch);
    result.removed += batch.size();
    if (options.on_progress) options.on_progress(result.kept + result.removed, result.removed);
    return true;
  });
  return result;
}

}  // namespace cherax::repository
