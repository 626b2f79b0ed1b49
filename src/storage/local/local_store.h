#pragma once

#include "storage/local/options.h"
#include "storage/object_store.h"

namespace cherax::storage {

/// Objects as files of a directory, in the layout of Astacus' local store: an object is the file
/// `<directory>/<prefix>/<key>`, and its metadata the file `<key>.metadata` beside it (docs/format.md).
///
/// Both are written elsewhere first and renamed: the metadata, then the object, under a lock that get and head share,
/// so that no reader and no crash sees one without the other. An object without metadata, or of another size than its
/// metadata says, counts as absent; it is what a power failure, or a killed Astacus, leaves behind. sync() is one
/// syncfs; it also removes files that killed writers left a day ago. list() holds at most 200,000 names in memory.
class LocalStore final : public ObjectStore {
 public:
  /// Touches no file. Error{invalid} for a prefix that leaves the directory.
  explicit LocalStore(const LocalOptions& options);

  std::string describe() const override;
  std::uint64_t put(const ObjectKey& key, Source& source, const Metadata& metadata, PutMode mode) override;
  bool get(const ObjectKey& key, ByteRange range, const OpenSink& open) override;
  std::optional<ObjectHead> head(const ObjectKey& key) override;
  void list(const std::string& prefix, const std::string& after, const Page& page) override;
  void remove(std::span<const ObjectKey> keys) override;
  void sync() override;
  Capabilities capabilities() const override { return {}; }

 private:
  std::string doing(std::string_view what, const ObjectKey& key) const;

  std::filesystem::path root_;
};

}  // namespace cherax::storage
