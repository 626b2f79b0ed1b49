#include "repository/presence.h"

#include <mutex>
#include <optional>

#include "base/parallel.h"
#include "repository/layout.h"

namespace cherax::repository {

namespace {

/// Both the listing and the digests are in the order of their bytes, so one pass over both finds them all.
void find_in_listing(storage::ObjectStore& store, const DigestList& digests, const OnPresent& on_present,
                     const std::stop_token& stop) {
  std::size_t index = 0;
  std::string before_first = blob_key(digests.at(0)).text;
  before_first.pop_back();
  store.list(std::string{kBlobPrefix}, before_first, [&](std::span<const storage::ObjectInfo> page) {
    if (stop.stop_requested()) fail(ErrorKind::cancelled, "cancelled while listing {}", store.describe());
    for (const storage::ObjectInfo& info : page) {
      const auto listed = parse_blob_key(info.key);
      if (!listed) continue;
      while (index < digests.count && digests.at(index) < *listed) ++index;
      if (index == digests.count) return false;
      if (digests.at(index) == *listed) on_present(index++, info.modified);
    }
    return true;
  });
}

}  // namespace

void find_present(storage::ObjectStore& store, const DigestList& digests, const OnPresent& on_present,
                  const PresenceOptions& options) {
  if (digests.count <= kListFrom) return find_present_one_by_one(store, digests, on_present, options);
  find_in_listing(store, digests, on_present, options.stop);
}

void find_present_one_by_one(storage::ObjectStore& store, const DigestList& digests, const OnPresent& on_present,
                             const PresenceOptions& options) {
  std::mutex mutex;
  std::size_t next = 0;
  const auto take = [&]() -> std::optional<std::size_t> {
    return next < digests.count ? std::optional{next++} : std::nullopt;
  };
  parallel_for(std::min(options.parallel, digests.count), options.stop, take, [&](std::size_t index) {
    const auto head = store.head(blob_key(digests.at(index)));
    if (!head) return;
    std::scoped_lock lock{mutex};
    on_present(index, head->modified);
  });
}

}  // namespace cherax::repository
