#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "repository/manifest.h"
#include "repository/object_codec.h"
#include "storage/object_store.h"

namespace cherax::repository {

struct ManifestsOptions {
  std::string storage;                        ///< its name in the configuration
  std::filesystem::path temporary_directory;  ///< created on demand
  std::optional<std::filesystem::path>
      cache;  ///< `object_storage_cache`: plain copies, `<cache>/<storage>/<name>.json`
};

/// Whether a storage of this name can have its folder in the cache: it is a plain file name.
bool can_be_cached(std::string_view storage);

/// A manifest to be written. `snapshot_results` are the nodes' results as JSON text, in node order.
struct NewManifest {
  BackupName::Kind kind = BackupName::Kind::backup;
  Timestamp start;
  Timestamp end;
  std::int64_t attempt = 1;
  std::string plugin;
  json::value plugin_data = json::object{};
  std::vector<Source*> snapshot_results;
  std::vector<api::UploadResult> upload_results;
};

/// The manifests of one storage: what backups and deltas there are. Any thread; the store and the codec must outlive
/// it. A manifest is the commit point of a backup: whoever puts one has stored, and made durable, all it names.
class Manifests {
 public:
  static constexpr std::uint64_t kLargest = std::uint64_t{16} << 30;  ///< bytes of JSON

  /// Error{invalid} when there is a cache and the storage cannot be cached.
  Manifests(storage::ObjectStore& store, const ObjectCodec& codec, ManifestsOptions options);

  /// Sorted by name, of all kinds. Copies in the cache of backups that are gone are removed.
  std::vector<BackupName> list();

  /// Fetches it into a temporary file, or takes it from the cache. Error{not_found} when there is no such backup.
  SpooledManifest open(const BackupName& name);

  /// Writes it, never over another: the name is made of `start`, or of the next second that is free. The text is read
  /// back before it is sent. Durable when this returns.
  BackupName put(const NewManifest& manifest);

  /// Those that do not exist are passed over.
  void remove(std::span<const BackupName> names);

 private:
  std::string where(const BackupName& name) const;
  std::optional<std::filesystem::path> cached_path(const BackupName& name) const;
  SpooledManifest fetch(const BackupName& name);
  bool put_as(const BackupName& name, const SpooledManifest& manifest);
  void add_to_cache(const BackupName& name, const SpooledManifest& manifest);
  void prune_cache(std::span<const BackupName> existing);

  storage::ObjectStore& store_;
  const ObjectCodec& codec_;
  const ManifestsOptions options_;
};

}  // namespace cherax::repository
