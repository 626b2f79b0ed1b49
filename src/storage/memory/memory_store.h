#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "storage/object_store.h"

namespace cherax::storage {

/// Objects in memory, for tests.
class MemoryStore final : public ObjectStore {
 public:
  explicit MemoryStore(Clock& clock = system_clock()) : clock_(clock) {}

  std::string describe() const override { return "memory:"; }
  std::uint64_t put(const ObjectKey& key, Source& source, const Metadata& metadata, PutMode mode) override;
  bool get(const ObjectKey& key, ByteRange range, const OpenSink& open) override;
  std::optional<ObjectHead> head(const ObjectKey& key) override;
  void list(const std::string& prefix, const std::string& after, const Page& page) override;
  void remove(std::span<const ObjectKey> keys) override;
  void sync() override {}
  Capabilities capabilities() const override { return {}; }

 private:
  struct Object {
    ObjectHead head;
    Bytes bytes;
  };
  std::shared_ptr<const Object> find(const std::string& key);

  Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Object>> objects_;
};

}  // namespace cherax::storage
