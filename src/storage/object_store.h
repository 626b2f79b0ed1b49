#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/stream.h"

namespace cherax::storage {

/// The name of an object in a store, without the store's own prefix. Spelled only by repository/layout.h.
/// Every store takes keys of up to 200 bytes made of segments joined by '/': letters, digits and `-_.:+`, no segment
/// empty or starting with '.' or ending in `.metadata`, no key the folder of another. What a store cannot keep under
/// its own name is Error{invalid}, never another object.
struct ObjectKey {
  std::string text;
  auto operator<=>(const ObjectKey&) const = default;
};

/// What stands beside an object's bytes. Keys are lower-case ASCII letters, digits and '-', values printable ASCII, not
/// empty, without a space at either end.
using Metadata = std::map<std::string, std::string>;

struct ObjectHead {
  std::uint64_t size = 0;  ///< bytes as stored
  Timestamp modified;
  Metadata metadata;
};

struct ObjectInfo {
  ObjectKey key;
  std::uint64_t size = 0;  ///< bytes as stored
  Timestamp modified;
};

struct ByteRange {
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> length;  ///< nullopt: to the end
};

enum class PutMode {
  if_absent,  ///< Error{already_exists} when the key is taken; of several writers exactly one wins
  replace,
};

struct Capabilities {
  bool if_absent_is_atomic = true;  ///< also between machines
};

/// A flat name space of immutable blobs: a directory, a bucket, a container. An object is there whole or not at all:
/// a put that fails or is killed leaves nothing that get, head or list would show. All members may be called from any
/// thread. Failures are thrown as Error with the store, the operation and the key in the message, classified once here;
/// a missing object is no failure. What a Source, Sink or page function throws ends the operation and comes through
/// as it is: that is how a transfer is cancelled.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  /// What to call it in messages: `local:/backups`, `s3://bucket/prefix`. No secret.
  virtual std::string describe() const = 0;

  /// Stores all bytes of `source`; returns how many. When `source` throws, nothing is stored.
  virtual std::uint64_t put(const ObjectKey& key, Source& source, const Metadata& metadata, PutMode mode) = 0;

  /// Calls `open` with the object's head before its first byte, then writes what of `range` lies within the object
  /// (maybe nothing) to the sink that it returned, and finishes it. False, and no call, when there is no such object.
  using OpenSink = std::function<Sink&(const ObjectHead&)>;
  virtual bool get(const ObjectKey& key, ByteRange range, const OpenSink& open) = 0;

  virtual std::optional<ObjectHead> head(const ObjectKey& key) = 0;

  /// Pages of the objects whose key starts with `prefix`, in byte order of the keys, those greater than `after` only.
  /// No page is empty. Ends early when `page` returns false. An object put or removed meanwhile may or may not appear.
  using Page = std::function<bool(std::span<const ObjectInfo>)>;
  virtual void list(const std::string& prefix, const std::string& after, const Page& page) = 0;

  /// Removes the objects; those that do not exist are passed over.
  virtual void remove(std::span<const ObjectKey> keys) = 0;

  /// Durability barrier: what was put before survives a power failure afterwards. Nothing to do on remote stores.
  virtual void sync() = 0;

  virtual Capabilities capabilities() const = 0;
};

}  // namespace cherax::storage
