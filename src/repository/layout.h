#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/digest.h"
#include "storage/object_store.h"

/// The only place that spells object keys (docs/format.md): `data/<digest>` holds one content, `json/<name>` a
/// manifest.
namespace cherax::repository {

inline constexpr std::string_view kBlobPrefix = "data/";
inline constexpr std::string_view kManifestPrefix = "json/";

storage::ObjectKey blob_key(const Digest& digest);
/// Error{invalid} for a key below `data/` that is no digest: not ours.
Result<Digest> parse_blob_key(const storage::ObjectKey& key);

/// The name of a backup or delta: `backup-2026-11-23T22:40:25+00:00`. Any text of letters, digits and `-_.:+` may stand
/// for the time, as Astacus lists such names too.
class BackupName {
 public:
  enum class Kind {
    backup,
    delta,
    other,  ///< something else below `json/`, which no command names; its blocks are kept as those of any manifest
  };

  /// The name of what began at `start`; `kind` is backup or delta.
  static BackupName at(Timestamp start, Kind kind = Kind::backup);
  /// What a user says: a full name, or one without `backup-`. Error{invalid} for what cannot be a name.
  static Result<BackupName> parse(std::string_view text);
  static Result<BackupName> from_key(const storage::ObjectKey& key);

  Kind kind() const { return kind_; }
  /// As in requests and in the store: `backup-2026-…`.
  const std::string& full() const { return full_; }
  /// As in lists: without `backup-` or `delta-`.
  std::string_view short_name() const;
  storage::ObjectKey key() const;

  auto operator<=>(const BackupName&) const = default;

 private:
  explicit BackupName(std::string full);
  std::string full_;
  Kind kind_;
};

}  // namespace cherax::repository
