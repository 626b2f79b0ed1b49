#pragma once

#include <cstdint>
#include <functional>

#include "base/digest.h"
#include "repository/object_codec.h"
#include "storage/object_store.h"

namespace cherax::repository {

/// Stores contents under their digest. Any thread; the store and the codec must outlive it.
class BlobWriter {
 public:
  BlobWriter(storage::ObjectStore& store, const ObjectCodec& codec) : store_(store), codec_(codec) {}

  /// Reads `plain` to its end, and stores it as `digest` if that is what it is: bytes of another digest or size are
  /// Error{corrupt}, and nothing is stored. A content that is there already stays as it is. Returns the stored size.
  std::uint64_t store(const Digest& digest, std::uint64_t size, Source& plain);

  /// The same without hashing again, for files that never change while they have their name. `require_unchanged` is
  /// called when all bytes were read and before the object is committed: it throws when the file is not the one that
  /// was hashed (by fstat).
  std::uint64_t store_immutable(const Digest& digest, std::uint64_t size, Source& plain,
                                const std::function<void()>& require_unchanged);

 private:
  std::uint64_t put(const Digest& digest, std::uint64_t size, Source& checked);

  storage::ObjectStore& store_;
  const ObjectCodec& codec_;
};

}  // namespace cherax::repository
