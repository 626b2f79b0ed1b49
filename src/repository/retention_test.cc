#include "repository/retention.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <set>

namespace cherax::repository {
namespace {

using std::chrono::hours;
using Names = std::vector<std::string>;

const Timestamp kNow{std::chrono::days{20'000}};

/// Named by its number, begun and ended so many hours before now.
DatedBackup backup(int number, int hours_ago, const char* kind = "backup") {
  return {.name = BackupName::parse(fmt::format("{}-{}", kind, number)).value(),
          .start = kNow - hours{hours_ago + 1},
          .end = kNow - hours{hours_ago}};
}

/// `count` backups, one a day, the last one hour ago; number 0 is the oldest.
std::vector<DatedBackup> daily(int count) {
  std::vector<DatedBackup> backups;
  for (int i = 0; i < count; ++i) backups.push_back(backup(i, (count - 1 - i) * 24 + 1));
  return backups;
}

Names names(const std::vector<BackupName>& backups) {
  Names names;
  for (const BackupName& name : backups) names.push_back(name.full());
  return names;
}

Names kept(std::vector<DatedBackup> backups, const api::Retention& retention, const Names& explicit_delete = {}) {
  std::vector<BackupName> deleted;
  for (const std::string& name : explicit_delete) deleted.push_back(BackupName::parse(name).value());
  return names(plan_retention(std::move(backups), retention, deleted, kNow).keep);
}

TEST(Retention, KeepsEverythingWithoutAReason) {
  EXPECT_EQ(kept(daily(3), {}).size(), 3U);
  EXPECT_EQ(kept(daily(50), {.minimum_backups = 3}).size(), 50U);
  EXPECT_TRUE(kept({}, {.minimum_backups = 3, .keep_days = 7}).empty());
}

TEST(Retention, DropsTheOldestBeyondTheMaximum) {
  EXPECT_EQ(kept(daily(4), {.maximum_backups = 2}), (Names{"backup-2", "backup-3"}));
}

TEST(Retention, KeepDaysCountsWholeDaysAndLeavesTheMinimum) {
  // The ends are 1, 25, 49, … hours ago.
  EXPECT_EQ(kept(daily(5), {.keep_days = 1}), (Names{"backup-3", "backup-4"}));
  EXPECT_EQ(kept(daily(5), {.keep_days = 0}), (Names{"backup-4"}));
  EXPECT_EQ(kept(daily(5), {.minimum_backups = 3, .keep_days = 0}), (Names{"backup-2", "backup-3", "backup-4"}));
  EXPECT_EQ(kept({backup(0, 47)}, {.keep_days = 1}), (Names{"backup-0"}));
  EXPECT_TRUE(kept({backup(0, 48)}, {.keep_days = 1}).empty());
}

TEST(Retention, ASmallerMaximumBeatsTheMinimumButOnlyAboveIt) {
  EXPECT_EQ(kept(daily(5), {.minimum_backups = 3, .maximum_backups = 1}), (Names{"backup-4"}));
  EXPECT_EQ(kept(daily(3), {.minimum_backups = 3, .maximum_backups = 1}).size(), 3U);
}

TEST(Retention, SortsByStartThenEndThenName) {
  auto a = backup(1, 10), b = backup(2, 10), c = backup(0, 10);
  b.end -= std::chrono::minutes{1};
  EXPECT_EQ(kept({a, b, c}, {}), (Names{"backup-2", "backup-0", "backup-1"}));
}

TEST(Retention, DeletesByNameBelowTheMinimumToo) {
  EXPECT_EQ(kept(daily(3), {.minimum_backups = 3}, {"backup-1"}), (Names{"backup-0", "backup-2"}));
  EXPECT_EQ(kept(daily(3), {.minimum_backups = 3}, {"1"}), (Names{"backup-0", "backup-2"})) << "a short name";
  EXPECT_EQ(kept(daily(3), {.minimum_backups = 3}, {"unknown"}).size(), 3U);
  EXPECT_EQ(kept(daily(4), {.maximum_backups = 2}, {"backup-3"}), (Names{"backup-1", "backup-2"}));
}

TEST(Retention, DeltasGoWithTheBackupTheyBuildOn) {
  auto all = daily(3);  // ended 49, 25 and 1 hours ago
  for (const int hours_ago : {50, 30, 25, 2}) all.push_back(backup(hours_ago, hours_ago, "delta"));
  EXPECT_EQ(kept(all, {.maximum_backups = 2}), (Names{"backup-1", "backup-2", "delta-25", "delta-2"}));
  EXPECT_EQ(kept(all, {.maximum_backups = 2}, {"delta-25"}), (Names{"backup-1", "backup-2", "delta-2"}));
  EXPECT_TRUE(kept(all, {.maximum_backups = 0}).empty());
  EXPECT_EQ(kept(all, {}), (Names{"backup-0", "backup-1", "backup-2", "delta-30", "delta-25", "delta-2"}));
}

TEST(Retention, RefusesNegativeNumbers) {
  for (const api::Retention& retention : {api::Retention{.minimum_backups = -1}, api::Retention{.maximum_backups = -1},
                                          api::Retention{.keep_days = -1}}) {
    EXPECT_THROW(kept(daily(3), retention), Error);
  }
}

TEST(Retention, HoldsItsPromisesForAnyBackups) {
  EXPECT_TRUE(rc::check([] {
    const auto number = [](int bound) { return static_cast<std::int64_t>(*rc::gen::inRange(0, bound)); };
    const auto maybe = [&](int bound) {
      return *rc::gen::arbitrary<bool>() ? std::optional{number(bound)} : std::nullopt;
    };
    std::vector<DatedBackup> backups;
    std::vector<BackupName> explicit_delete;
    const auto count = number(12);
    for (int i = 0; i < count; ++i) {
      backups.push_back(backup(i, *rc::gen::inRange(-48, 400)));
      if (*rc::gen::weightedElement<bool>({{4, false}, {1, true}})) explicit_delete.push_back(backups.back().name);
    }
    const api::Retention retention{.minimum_backups = maybe(8), .maximum_backups = maybe(8), .keep_days = maybe(14)};
    const auto plan = plan_retention(backups, retention, explicit_delete, kNow);

    std::set<BackupName> all;
    for (const auto& names : {plan.keep, plan.remove}) all.insert(names.begin(), names.end());
    RC_ASSERT(all.size() == backups.size());
    RC_ASSERT(plan.keep.size() + plan.remove.size() == backups.size());

    const auto eligible = static_cast<std::int64_t>(backups.size() - explicit_delete.size());
    const auto left = static_cast<std::int64_t>(plan.keep.size());
    for (const BackupName& name : explicit_delete) RC_ASSERT(std::ranges::count(plan.keep, name) == 0);
    const auto minimum = retention.minimum_backups.value_or(0);
    RC_ASSERT(left >= std::min({eligible, minimum, retention.maximum_backups.value_or(minimum)}));
    if (retention.maximum_backups && eligible > minimum) RC_ASSERT(left <= *retention.maximum_backups);
    // Only the oldest go: none that is kept began before one that went for its age or number.
    const auto start_of = [&](const BackupName& name) {
      return std::ranges::find(backups, name, &DatedBackup::name)->start;
    };
    for (const BackupName& gone : plan.remove) {
      if (std::ranges::count(explicit_delete, gone) > 0) continue;
      for (const BackupName& stays : plan.keep) RC_ASSERT(start_of(gone) <= start_of(stays));
    }
  }));
}

}  // namespace
}  // namespace cherax::repository
