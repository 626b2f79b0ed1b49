#pragma once

#include <limits>

#include "storage/object_store.h"

namespace cherax::storage {

/// A store with something wrong with it, for tests: each operation passes through the given functions.
class FaultyStore final : public ObjectStore {
 public:
  enum class Operation { put, get, head, list, remove, sync };
  struct Faults {
    /// Called before an operation, for remove once a key: throws an Error, or takes its time.
    std::function<void(Operation, const std::string& key_or_prefix)> before;
    /// Changes the bytes that get delivers; they are in memory as a whole then.
    std::function<void(const std::string& key, Bytes& stored)> alter;
  };

  /// `inner` must outlive it.
  FaultyStore(ObjectStore& inner, Faults faults) : inner_(inner), faults_(std::move(faults)) {}

  std::string describe() const override { return inner_.describe(); }

  std::uint64_t put(const ObjectKey& key, Source& source, const Metadata& metadata, PutMode mode) override {
    before(Operation::put, key.text);
    return inner_.put(key, source, metadata, mode);
  }

  bool get(const ObjectKey& key, ByteRange range, const OpenSink& open) override {
    before(Operation::get, key.text);
    if (!faults_.alter) return inner_.get(key, range, open);
    ObjectHead head;
    MemorySink stored{std::numeric_limits<std::size_t>::max()};
    const bool found = inner_.get(key, range, [&](const ObjectHead& found_head) -> Sink& {
      head = found_head;
      return stored;
    });
    if (!found) return false;
    Bytes bytes = stored.bytes();
    faults_.alter(key.text, bytes);
    Sink& sink = open(head);
    if (!bytes.empty()) sink.write(bytes);
    sink.finish();
    return true;
  }

  std::optional<ObjectHead> head(const ObjectKey& key) override {
    before(Operation::head, key.text);
    return inner_.head(key);
  }

  void list(const std::string& prefix, const std::string& after, const Page& page) override {
    before(Operation::list, prefix);
    inner_.list(prefix, after, page);
  }

  void remove(std::span<const ObjectKey> keys) override {
    for (const ObjectKey& key : keys) {
      before(Operation::remove, key.text);
      inner_.remove({&key, 1});
    }
  }

  void sync() override {
    before(Operation::sync, "");
    inner_.sync();
  }

  Capabilities capabilities() const override { return inner_.capabilities(); }

 private:
  void before(Operation operation, const std::string& key) {
    if (faults_.before) faults_.before(operation, key);
  }

  ObjectStore& inner_;
  Faults faults_;
};

}  // namespace cherax::storage
