#include "plugins/cassandra/restore_builds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/manual_clock.h"

namespace cherax::plugins::cassandra {
namespace {

using namespace std::chrono_literals;
using testing::Optional;

::cherax::cassandra::Schema schema(bool with_view, bool with_index) {
  ::cherax::cassandra::Table table{.name = "orders"};
  if (with_view) table.materialized_views.push_back({.name = "by_item"});
  if (with_index) table.indexes.push_back({.name = "by_day"});
  ::cherax::cassandra::Keyspace keyspace{.name = "shop"};
  keyspace.tables.push_back(table);
  return {.keyspaces = {keyspace}};
}

class BuildWatchTest : public testing::Test {
 protected:
  BuildWatchTest() {
    for (auto& node : nodes_) {
      node.views = {"shop.by_item"};
      node.indexes = {"shop.by_day"};
    }
  }

  std::optional<std::string> look_after(SteadyTime::duration time) { return look_after(time, watch_); }
  std::optional<std::string> look_after(SteadyTime::duration time, BuildWatch& watch) {
    now_ += time;
    return watch.look_for_all(nodes_, now_);
  }

  static constexpr const char* kInMemory = "hints may still be in memory";
  std::vector<BuildsResult> nodes_{2};
  SteadyTime now_;
  BuildWatch watch_{schema(true, true), {"n1", "n2"}};
};

TEST_F(BuildWatchTest, WithoutViewsAndIndexesThereIsNothingToWaitFor) {
  EXPECT_FALSE((BuildWatch{schema(false, false), {"n1", "n2"}}.has_anything()));
  EXPECT_TRUE((BuildWatch{schema(true, false), {"n1", "n2"}}.has_views()));
  EXPECT_TRUE((BuildWatch{schema(false, true), {"n1", "n2"}}.has_anything()));
  EXPECT_FALSE((BuildWatch{schema(false, true), {"n1", "n2"}}.has_views()));
}

TEST_F(BuildWatchTest, EveryNodeBuildsEverything) {
  nodes_[1].views.clear();
  EXPECT_THAT(look_after(0s), Optional(std::string{"shop.by_item is not built on n2"}));
  EXPECT_EQ(watch_.progress().handled, 3);
  EXPECT_EQ(watch_.progress().total, 4);
  nodes_[1].views = {"shop.by_item"};
  nodes_[0].indexes.clear();
  EXPECT_THAT(look_after(1h), Optional(std::string{"shop.by_day is not built on n1"}));
}

TEST_F(BuildWatchTest, ViewsCanBeWaitedForAlone) {
  nodes_[0].indexes.clear();
  nodes_[0].undelivered_batches = 7;
  nodes_[1].views.clear();
  EXPECT_THAT(watch_.look_for_views(nodes_), Optional(std::string{"shop.by_item is not built on n2"}));
  EXPECT_EQ(watch_.progress().handled, 1);
  EXPECT_EQ(watch_.progress().total, 2);
  nodes_[1].views = {"shop.by_item"};
  EXPECT_EQ(watch_.look_for_views(nodes_), std::nullopt);
}

TEST_F(BuildWatchTest, IndexesAreLocalSoNothingIsOnItsWay) {
  BuildWatch watch{schema(false, true), {"n1", "n2"}};
  nodes_[0].undelivered_batches = 1;
  EXPECT_EQ(look_after(0s, watch), std::nullopt);
}

TEST_F(BuildWatchTest, AHintIsNotSeenUntilItIsFlushed) {
  EXPECT_THAT(look_after(0s), Optional(std::string{kInMemory}));
  EXPECT_THAT(look_after(10s), Optional(std::string{kInMemory}));
  EXPECT_EQ(look_after(4s), std::nullopt);
}

TEST_F(BuildWatchTest, TheLongestPeriodOfAllNodesCounts) {
  nodes_[1].hints_flush_period_ms = 60'000;
  look_after(0s);
  EXPECT_THAT(look_after(60s), Optional(std::string{kInMemory}));
  EXPECT_EQ(look_after(4s), std::nullopt);
}

/// As it was in a restore that ended too early: the batches were gone, and their rows were hints.
TEST_F(BuildWatchTest, ABatchMayHaveBecomeAHint) {
  nodes_[0].undelivered_batches = 2;
  EXPECT_THAT(look_after(0s), Optional(std::string{"2 batches and 0 files of hints are not delivered from n1"}));
  nodes_[0].undelivered_batches = 0;
  EXPECT_THAT(look_after(8s), Optional(std::string{kInMemory}));
  nodes_[0].undelivered_hint_files = 1;
  EXPECT_THAT(look_after(9s), Optional(std::string{"0 batches and 1 files of hints are not delivered from n1"}));
  nodes_[0].undelivered_hint_files = 0;
  EXPECT_THAT(look_after(20s), Optional(std::string{kInMemory}));
  EXPECT_EQ(look_after(14s), std::nullopt);
}

TEST_F(BuildWatchTest, BatchesOfClientsDoNotKeepARestoreFromItsEnd) {
  nodes_[1].undelivered_batches = 1;
  EXPECT_NE(look_after(1h), std::nullopt) << "counted from the first look that found everything built";
  EXPECT_NE(look_after(9min), std::nullopt);
  EXPECT_EQ(look_after(2min), std::nullopt);
}

}  // namespace
}  // namespace cherax::plugins::cassandra
