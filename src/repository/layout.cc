#include "repository/layout.h"

#include <algorithm>

namespace cherax::repository {

namespace {

constexpr std::string_view kBackup = "backup-";
constexpr std::string_view kDelta = "delta-";
constexpr std::size_t kLongestName = 150;

bool is_name_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view{"-_.:+"}.find(c) != std::string_view::npos;
}

/// Of names that users say and files can have. A hostile store may list others.
bool is_proper(std::string_view full) {
  return full != kBackup && full != kDelta && full.size() <= kLongestName &&
         std::ranges::all_of(full, is_name_character);
}

BackupName::Kind kind_of(std::string_view full) {
  if (is_proper(full) && full.starts_with(kBackup)) return BackupName::Kind::backup;
  if (is_proper(full) && full.starts_with(kDelta)) return BackupName::Kind::delta;
  return BackupName::Kind::other;
}

}  // namespace

storage::ObjectKey blob_key(const Digest& digest) { return {std::string{kBlobPrefix} + digest.hex()}; }

Result<Digest> parse_blob_key(const storage::ObjectKey& key) {
  std::string_view text = key.text;
  if (!text.starts_with(kBlobPrefix)) return make_error(ErrorKind::invalid, "{} is not below {}", text, kBlobPrefix);
  return Digest::from_hex(text.substr(kBlobPrefix.size()));
}

BackupName BackupName::at(Timestamp start, Kind kind) {
  return BackupName{std::string{kind == Kind::delta ? kDelta : kBackup} + format_backup_time(start)};
}

Result<BackupName> BackupName::parse(std::string_view text) {
  const bool has_kind = text.starts_with(kBackup) || text.starts_with(kDelta);
  std::string full = has_kind ? std::string{text} : std::string{kBackup} + std::string{text};
  if (!is_proper(full)) {
    return make_error(ErrorKind::invalid, "\"{}\" cannot be the name of a backup; one looks like {}",
                      text.substr(0, kLongestName), at(Timestamp{}).full());
  }
  return BackupName{std::move(full)};
}

Result<BackupName> BackupName::from_key(const storage::ObjectKey& key) {
  std::string_view text = key.text;
  if (!text.starts_with(kManifestPrefix) || text.size() == kManifestPrefix.size()) {
    return make_error(ErrorKind::invalid, "{} is not below {}", text, kManifestPrefix);
  }
  return BackupName{std::string{text.substr(kManifestPrefix.size())}};
}

BackupName::BackupName(std::string full) : full_(std::move(full)), kind_(kind_of(full_)) {}

std::string_view BackupName::short_name() const {
  const std::string_view full = full_;
  switch (kind_) {
    case Kind::backup:
      return full.substr(kBackup.size());
    case Kind::delta:
      return full.substr(kDelta.size());
    case Kind::other:
      break;
  }
  return full;
}

storage::ObjectKey BackupName::key() const { return {std::string{kManifestPrefix} + full_}; }

}  // namespace cherax::repository
