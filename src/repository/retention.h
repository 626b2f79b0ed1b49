#pragma once

#include <vector>

#include "api/messages.h"
#include "base/clock.h"
#include "repository/layout.h"

/// Which backups stay. Pure, and exactly Astacus' rules.
namespace cherax::repository {

struct DatedBackup {
  BackupName name;
  Timestamp start;
  Timestamp end;
};

struct RetentionPlan {
  std::vector<BackupName> keep;    ///< oldest first, deltas after backups
  std::vector<BackupName> remove;  ///< the same
};

/// Those of `explicit_delete` go in any case. Of the other backups, sorted by start, end and name, the oldest goes as
/// long as one of these says so, in this order:
/// 1. there are more than `maximum_backups`, unless there were no more than `minimum_backups` to begin with: a smaller
///    maximum beats the minimum;
/// 2. there are more than `minimum_backups`, and it ended more than `keep_days` whole days before `now` (2 days and 23
///    hours are 2 days).
/// Deltas go with what they build on: those that ended before the first of the kept backups did, and all when none is
/// kept. Error{invalid} for a number below 0.
RetentionPlan plan_retention(std::vector<DatedBackup> backups, const api::Retention& retention,
                             const std::vector<BackupName>& explicit_delete, Timestamp now);

}  // namespace cherax::repository
