#include "repository/retention.h"

#include <algorithm>
#include <tuple>

namespace cherax::repository {

namespace {

using Backups = std::vector<DatedBackup>;

/// How many of the sorted `backups` go, from the front.
std::size_t count_expired(const Backups& backups, const api::Retention& retention, Timestamp now) {
  const auto left_after = [&](std::size_t expired) { return static_cast<std::int64_t>(backups.size() - expired); };
  const auto minimum = retention.minimum_backups.value_or(0);
  if (left_after(0) <= minimum) return 0;
  std::size_t expired = 0;
  while (expired < backups.size()) {
    const bool too_many = retention.maximum_backups && left_after(expired) > *retention.maximum_backups;
    const auto age = std::chrono::floor<std::chrono::days>(now - backups[expired].end);
    const bool too_old = left_after(expired) > minimum && retention.keep_days && age.count() > *retention.keep_days;
    if (!too_many && !too_old) break;
    ++expired;
  }
  return expired;
}

void require_sensible(const api::Retention& retention) {
  for (const auto& number : {retention.minimum_backups, retention.maximum_backups, retention.keep_days}) {
    if (number.value_or(0) < 0) fail(ErrorKind::invalid, "retention has the number {}: none may be below 0", *number);
  }
}

}  // namespace

RetentionPlan plan_retention(std::vector<DatedBackup> all, const api::Retention& retention,
                             const std::vector<BackupName>& explicit_delete, Timestamp now) {
  require_sensible(retention);
  std::ranges::sort(all, {}, [](const DatedBackup& b) { return std::tie(b.start, b.end, b.name); });
  RetentionPlan plan;
  Backups backups, deltas;
  for (DatedBackup& backup : all) {
    if (std::ranges::find(explicit_delete, backup.name) != explicit_delete.end()) {
      plan.remove.push_back(backup.name);
    } else if (backup.name.kind() == BackupName::Kind::delta) {
      deltas.push_back(std::move(backup));
    } else {
      backups.push_back(std::move(backup));
    }
  }

  const std::size_t expired = count_expired(backups, retention, now);
  std::optional<Timestamp> oldest_end;
  for (std::size_t i = 0; i < backups.size(); ++i) {
    (i < expired ? plan.remove : plan.keep).push_back(backups[i].name);
    if (i >= expired) oldest_end = std::min(oldest_end.value_or(backups[i].end), backups[i].end);
  }
  for (const DatedBackup& delta : deltas) {
    (oldest_end && delta.end >= *oldest_end ? plan.keep : plan.remove).push_back(delta.name);
  }
  return plan;
}

}  // namespace cherax::repository
