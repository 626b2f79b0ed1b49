#pragma once

#include <cstdint>

#include "base/digest.h"
#include "repository/object_codec.h"
#include "storage/object_store.h"

namespace cherax::repository {

/// Fetches contents by their digest. Any thread; the store and the codec must outlive it.
class BlobReader {
 public:
  BlobReader(storage::ObjectStore& store, const ObjectCodec& codec) : store_(store), codec_(codec) {}

  /// Writes the content to `plain`, never more than `size` bytes, and finishes it only when it is what `digest` says:
  /// until then the bytes must not be trusted. Error{not_found} when the store has no such object, Error{corrupt} when
  /// its bytes are not the content; each names the key and the store.
  void fetch(const Digest& digest, std::uint64_t size, Sink& plain);

 private:
  storage::ObjectStore& store_;
  const ObjectCodec& codec_;
};

}  // namespace cherax::repository
