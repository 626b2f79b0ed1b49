#include "storage/memory/memory_store.h"

#include <limits>

namespace cherax::storage {

namespace {
constexpr std::size_t kPageSize = 1000;
}

std::uint64_t MemoryStore::put(const ObjectKey& key, Source& source, const Metadata& metadata, PutMode mode) {
  MemorySink sink{std::numeric_limits<std::size_t>::max()};
  const std::uint64_t size = pump(source, sink);
  auto object = std::make_shared<const Object>(ObjectHead{.size = size, .modified = clock_.now(), .metadata = metadata},
                                               sink.bytes());
  std::scoped_lock lock{mutex_};
  const auto [place, is_new] = objects_.try_emplace(key.text, object);
  if (!is_new && mode == PutMode::if_absent) {
    fail(ErrorKind::already_exists, "storing {} in memory: it is there already", key.text);
  }
  place->second = std::move(object);
  return size;
}

bool MemoryStore::get(const ObjectKey& key, ByteRange range, const OpenSink& open) {
  const auto object = find(key.text);
  if (!object) return false;
  Sink& sink = open(object->head);
  const ByteView rest = ByteView{object->bytes}.subspan(std::min<std::size_t>(range.offset, object->bytes.size()));
  const ByteView wanted = rest.first(std::min<std::size_t>(range.length.value_or(rest.size()), rest.size()));
  if (!wanted.empty()) sink.write(wanted);
  sink.finish();
  return true;
}

std::optional<ObjectHead> MemoryStore::head(const ObjectKey& key) {
  const auto object = find(key.text);
  if (!object) return std::nullopt;
  return object->head;
}

void MemoryStore::list(const std::string& prefix, const std::string& after, const Page& page) {
  std::string last = after;
  for (;;) {
    std::vector<ObjectInfo> infos;
    {
      std::scoped_lock lock{mutex_};
      for (auto at = last < prefix ? objects_.lower_bound(prefix) : objects_.upper_bound(last);
           at != objects_.end() && at->first.starts_with(prefix) && infos.size() < kPageSize; ++at) {
        infos.push_back({.key = {at->first}, .size = at->second->head.size, .modified = at->second->head.modified});
      }
    }
    if (infos.empty() || !page(infos)) return;
    last = infos.back().key.text;
  }
}

void MemoryStore::remove(std::span<const ObjectKey> keys) {
  std::scoped_lock lock{mutex_};
  for (const ObjectKey& key : keys) objects_.erase(key.text);
}

std::shared_ptr<const MemoryStore::Object> MemoryStore::find(const std::string& key) {
  std::scoped_lock lock{mutex_};
  const auto at = objects_.find(key);
  return at == objects_.end() ? nullptr : at->second;
}

}  // namespace cherax::storage
