#include "plugins/cassandra/restore_checks.h"

#include "plugins/cassandra/restore_for_tests.h"
#include "snapshot/group.h"

namespace cherax::plugins::cassandra {
namespace {

using namespace test;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

using RestoreChecksTest = RestoreTest;

TEST_F(RestoreChecksTest, EverySeedMustBeANodeOfThisRestore) {
  answer_configuration();
  EXPECT_EQ(require_own_seeds(restore()).size(), 3U);
  targets_[2].seeds = {"cassandra-live.example:7000"};
  targets_[2].seed_addresses = {{"10.200.0.1"}};
  const auto error = error_of([&] { require_own_seeds(restore()); });
  EXPECT_EQ(error.kind(), ErrorKind::invalid);
  EXPECT_THAT(error.message(), AllOf(HasSubstr("the seed cassandra-live.example:7000 (10.200.0.1) of " + node_name(2)),
                                     HasSubstr("must never join another ring")));
}

TEST_F(RestoreChecksTest, EveryAddressOfASeedsNameMustBeOfANodeOfThisRestore) {
  answer_configuration();
  targets_[1].own_addresses.push_back("2001:db8::2");
  targets_[2].seeds = {"127.0.0.1:7000", "seeds.example"};
  targets_[2].seed_addresses = {{"127.0.0.1"}, {"127.0.0.3", "127.0.0.2", "2001:db8::2"}};
  EXPECT_EQ(require_own_seeds(restore()).size(), 3U);
  targets_[2].seed_addresses[1][1] = "10.200.0.1";
  const auto error = error_of([&] { require_own_seeds(restore()); });
  EXPECT_EQ(error.kind(), ErrorKind::invalid);
  EXPECT_THAT(error.message(), HasSubstr("the seed seeds.example (10.200.0.1) of " + node_name(2)));
  targets_[2].seeds = {"10.200.0.1:7000"};
  targets_[2].seed_addresses = {{"10.200.0.1"}};
  EXPECT_THAT(error_of([&] { require_own_seeds(restore()); }).message(),
              HasSubstr("the seed 10.200.0.1:7000 of " + node_name(2)));
}

TEST_F(RestoreChecksTest, ASeedWithoutAnAddressIsNotTakenForOwn) {
  answer_configuration();
  targets_[0].seed_addresses = {{}};
  EXPECT_THAT(error_of([&] { require_own_seeds(restore()); }).message(), HasSubstr("the seed 127.0.0.1 of"));
}

TEST_F(RestoreChecksTest, ANodeWhoseAddressesAreNotKnownIsNotRestored) {
  answer_configuration();
  targets_[1].address_error = "set listen_address";
  targets_[1].own_addresses.clear();
  targets_[0].seed_addresses = {{"127.0.0.2"}};
  EXPECT_EQ(error_of([&] { require_own_seeds(restore()); }).message(), node_name(1) + ": set listen_address");
}

TEST_F(RestoreChecksTest, TheNodesMustBeOfOneCluster) {
  answer_configuration();
  targets_[1].cluster_name = "d";
  EXPECT_THAT(error_of([&] { require_own_seeds(restore()); }).message(),
              AllOf(HasSubstr("\"c\""), HasSubstr(node_name(1) + " of \"d\"")));
}

TEST_F(RestoreChecksTest, APartialRestoreIsRefused) {
  answer_configuration();
  const auto error = error_of([&] { require_own_seeds(restore({.partial_restore_nodes = {{}}})); });
  EXPECT_EQ(error.kind(), ErrorKind::invalid);
  EXPECT_EQ(nodes_.count("POST /node/cassandra/get-configuration"), 0);
}

TEST_F(RestoreChecksTest, UserTablesAreReplacedOnlyWhenTheOperatorSaysSo) {
  targets_[1].user_tables = {"shop.orders", "shop.customers"};
  const auto error = error_of([&] { require_clearable(found_restore(), targets_, {}); });
  EXPECT_EQ(error.kind(), ErrorKind::invalid);
  EXPECT_THAT(error.message(),
              AllOf(HasSubstr(node_name(1)), HasSubstr("shop.orders, shop.customers"), HasSubstr("--overwrite")));
  EXPECT_NO_THROW(require_clearable(found_restore({.overwrite = true}), targets_, {}));
  EXPECT_NO_THROW(require_clearable(found_restore(), targets_, {.restore_overwrite = true}));
}

TEST_F(RestoreChecksTest, TheTablesOfAnEarlierAttemptAtThisRestoreAreNobodys) {
  auto& restore = found_restore();
  targets_[1].user_tables = {"shop.orders"};
  targets_[1].restoring = suffix_of(restore);
  EXPECT_NO_THROW(require_clearable(restore, targets_, {}));
  targets_[1].restoring = ".before-backup-2001-01-01T00:00:00+00:00";
  EXPECT_THROW(require_clearable(restore, targets_, {}), Error) << "of another backup";
}

TEST_F(RestoreChecksTest, WhatCameAfterAnAttemptThatWasGivenUpIsRemovedOnlyWhenTheOperatorSaysSo) {
  auto& restore = found_restore({.overwrite = true});
  targets_[1].given_up = suffix_of(restore);
  const auto error = error_of([&] { require_clearable(restore, targets_, {}); });
  EXPECT_EQ(error.kind(), ErrorKind::invalid);
  EXPECT_THAT(error.message(), AllOf(HasSubstr(node_name(1)), HasSubstr("<directory>" + suffix_of(restore)),
                                     HasSubstr("--overwrite --discard-old")));
  EXPECT_NO_THROW(require_clearable(found_restore({.overwrite = true, .discard_old = true}), targets_, {}));
  targets_[1].given_up = ".before-backup-2001-01-01T00:00:00+00:00";
  EXPECT_NO_THROW(require_clearable(found_restore({.overwrite = true}), targets_, {})) << "of another backup";
}

TEST_F(RestoreChecksTest, ThePluginsPartMustFitTheSnapshots) {
  EXPECT_EQ(parse_plugin_data(found_restore().manifest()).nodes.size(), 3U);
  EXPECT_EQ(error_of([&] { parse_plugin_data(found_restore({}, {1, 2}).manifest()); }).kind(), ErrorKind::corrupt);
  repository::Manifest manifest;
  manifest.plugin_data = parse(R"({"nodes":[]})");
  const auto error = error_of([&] { parse_plugin_data(manifest); });
  EXPECT_EQ(error.kind(), ErrorKind::corrupt);
  EXPECT_THAT(error.message(), HasSubstr("plugin_data: cassandra_schema: required, but missing"));
}

TEST_F(RestoreChecksTest, EachRackGoesToTheRackOfItsName) {
  targets_[0].rack = "r3";
  targets_[2].rack = "r1";
  const auto mapping = map_nodes(found_restore(), data_, targets_, {});
  EXPECT_THAT(mapping, ElementsAre(2, 1, 0));
  EXPECT_THAT(tokens_of(mapping, data_), ElementsAre(ElementsAre("3"), ElementsAre("2"), ElementsAre("1")));
}

TEST_F(RestoreChecksTest, InARackEqualAddressesGoTogether) {
  for (std::size_t i = 0; i < 3; ++i) data_.nodes[i].rack = targets_[i].rack = "r";
  data_.nodes[0].address = "127.0.0.3";
  EXPECT_THAT(map_nodes(found_restore(), data_, targets_, {}), ElementsAre(1, 2, 0));
  data_.nodes[0].address = "10.9.0.1";
  PluginOptions options;
  options.nodes = {{.address = "10.9.0.2"}, {.address = "10.9.0.3"}, {.address = "10.9.0.1"}};
  EXPECT_THAT(map_nodes(found_restore(), data_, targets_, options), ElementsAre(1, 2, 0)) << "as it is configured";
}

TEST_F(RestoreChecksTest, ABackupWithoutRacksIsMappedByAvailabilityZone) {
  for (auto& node : data_.nodes) node.datacenter.clear(), node.rack.clear();
  for (auto& node : nodes_.options.nodes) node.az = "z";
  EXPECT_THAT(map_nodes(found_restore(), data_, targets_, {}), ElementsAre(0, 1, 2));
  nodes_.options.nodes[1].az = "y";
  EXPECT_EQ(error_of([&] { map_nodes(found_restore(), data_, targets_, {}); }).kind(), ErrorKind::invalid)
      << "the backup's zone z has three nodes";
}

TEST_F(RestoreChecksTest, RacksOfTheBackupAreNotIgnoredBecauseThoseOfANodeAreUnknown) {
  for (auto& target : targets_) target.rack.clear();
  EXPECT_THAT(error_of([&] { map_nodes(found_restore(), data_, targets_, {}); }).message(),
              AllOf(HasSubstr("the rack of " + node_name(0)), HasSubstr("`az`")));
  for (auto& node : nodes_.options.nodes) node.az = "z";
  EXPECT_THAT(map_nodes(found_restore(), data_, targets_, {}), ElementsAre(0, 1, 2)) << "as the operator said";
}

TEST_F(RestoreChecksTest, RacksAreComparedAgainWhenNodesRun) {
  const coordinator::NodeMapping mapping{1, 2, 0};
  std::vector<RingResult> rings(3);
  for (std::size_t node = 0; node < 3; ++node) {
    rings[node].datacenter = "dc1";
    rings[node].rack = fmt::format("r{}", *mapping[node] + 1);
  }
  EXPECT_NO_THROW(require_racks_kept(found_restore(), data_, mapping, rings));
  rings[2].rack = rings[1].rack;
  EXPECT_THAT(error_of([&] { require_racks_kept(found_restore(), data_, mapping, rings); }).message(),
              HasSubstr("racks would be split or mixed"));
}

TEST_F(RestoreChecksTest, ANodeThatAllowsBackupsOnlyStopsTheRestoreBeforeAnythingIsTouched) {
  auto& restore = found_restore({.overwrite = true});
  EXPECT_NO_THROW(require_clearable(restore, targets_, {}));
  targets_[2].access_level = AccessLevel::read;
  const auto error = error_of([&] { require_clearable(restore, targets_, {}); });
  EXPECT_THAT(error.message(),
              AllOf(HasSubstr(node_name(2) + " allows backups only"), HasSubstr("nothing was touched")));
}

TEST_F(RestoreChecksTest, AMountPointIsNotSetAside) {
  targets_[1].mount_points = {"/var/lib/cassandra/data"};
  EXPECT_THAT(error_of([&] { require_clearable(found_restore({.overwrite = true}), targets_, {}); }).message(),
              AllOf(HasSubstr(node_name(1)), HasSubstr("/var/lib/cassandra/data"), HasSubstr("--discard-old")));
  EXPECT_NO_THROW(require_clearable(found_restore({.overwrite = true, .discard_old = true}), targets_, {}));
}

TEST_F(RestoreChecksTest, SaysWhichNodesAreTooFewOrTooMany) {
  targets_[2].rack = "r2";
  EXPECT_THAT(error_of([&] { map_nodes(found_restore(), data_, targets_, {}); }).message(), HasSubstr("rack"));
  targets_[2].rack = "r3";
  data_.nodes.pop_back();
  EXPECT_THAT(error_of([&] {
                map_nodes(found_restore({}, {1, 2}), data_, targets_, {});
              }).message(),
              HasSubstr(node_name(2) + " is one too many"));
}

TEST_F(RestoreChecksTest, ANodeMustBeConfiguredForAsManyTokensAsItGets) {
  const coordinator::NodeMapping mapping{0, 1, 2};
  auto& restore = found_restore();
  EXPECT_NO_THROW(require_token_counts(restore, data_, mapping, targets_));
  targets_[1].num_tokens = 16;
  const auto error = error_of([&] { require_token_counts(restore, data_, mapping, targets_); });
  EXPECT_EQ(error.kind(), ErrorKind::invalid);
  EXPECT_THAT(error.message(), AllOf(HasSubstr(node_name(1)), HasSubstr("num_tokens: 16"), HasSubstr("has 1 tokens"),
                                     HasSubstr("nothing was touched")));
}

TEST_F(RestoreChecksTest, ABackupMustFitBeforeAnythingIsTouched) {
  const coordinator::NodeMapping mapping{2, 0, 1};
  EXPECT_NO_THROW(require_space(found_restore({}, {10'000, 10'000, 10'000}, 100), mapping, targets_));
  auto error = error_of([&] { require_space(found_restore({}, {10'001, 1, 1}), mapping, targets_); });
  EXPECT_EQ(error.kind(), ErrorKind::invalid);
  EXPECT_THAT(error.message(), AllOf(HasSubstr(node_name(1) + " has 10000 bytes free, but the restore needs 10001"),
                                     HasSubstr("--discard-old")));
  error = error_of([&] { require_space(found_restore({}, {1, 1, 1}, 101), mapping, targets_); });
  EXPECT_THAT(error.message(), HasSubstr("has 100 inodes free, but the restore needs 101"));
}

TEST_F(RestoreChecksTest, WhatIsDiscardedMakesRoomAndWhatIsSetAsideDoesNot) {
  const coordinator::NodeMapping mapping{0, 1, 2};
  for (auto& target : targets_) target.data_bytes = 5'000;
  EXPECT_NO_THROW(require_space(found_restore({.discard_old = true}, {15'000, 1, 1}), mapping, targets_));
  const auto error = error_of([&] {
    require_space(found_restore({.discard_old = true}, {15'001, 1, 1}), mapping, targets_);
  });
  EXPECT_THAT(error.message(), AllOf(HasSubstr("has 15000 bytes free"), Not(HasSubstr("--discard-old"))));
  EXPECT_NE(error_of([&] {
              require_space(found_restore({}, {10'001, 1, 1}), mapping, targets_);
            }).message(),
            "no error");
}

TEST_F(RestoreChecksTest, WhatAnEarlierAttemptAtThisRestoreLeftMakesRoom) {
  const coordinator::NodeMapping mapping{0, 1, 2};
  auto& restore = found_restore({}, {15'000, 1, 1});
  targets_[0].data_bytes = 5'000;
  targets_[0].restoring = suffix_of(restore);
  EXPECT_EQ(error_of([&] { require_space(restore, mapping, targets_); }).kind(), ErrorKind::invalid)
      << "killed before it had cleared the node: what is there will be set aside";
  targets_[0].cleared = true;  // what is set aside already is not among data_bytes
  EXPECT_NO_THROW(require_space(restore, mapping, targets_));
}

TEST_F(RestoreChecksTest, WhatIsSetAsideIsCalledAfterTheBackup) {
  auto& restore = found_restore({.discard_old = true});
  EXPECT_EQ(suffix_of(restore), ".before-backup-2023-11-14T22:13:20+00:00");
  EXPECT_EQ(clear_request(restore).suffix, suffix_of(restore));
  EXPECT_TRUE(clear_request(restore).discard);
  EXPECT_EQ(finish_request(restore).suffix, suffix_of(restore));
}

/// A path of each kind that a snapshot of Cassandra 5.0 has, and whether the data of a restore has it.
struct Sample {
  const char* path;
  bool is_data;
  bool is_roles;
};
constexpr const char* kTable = "-8cd66ed0e79611f1b437e91975696754/snapshots/astacus-backup/";
const std::vector<Sample> kSamples{
    {"data/shop/orders|nb-1-big-CompressionInfo.db", true, false},
    {"data/shop/orders|nb-1-big-Data.db", true, false},
    {"data/shop/orders|nb-1-big-Digest.crc32", true, false},
    {"data/shop/orders|nb-1-big-Filter.db", true, false},
    {"data/shop/orders|nb-1-big-Index.db", true, false},
    {"data/shop/orders|nb-1-big-Statistics.db", true, false},
    {"data/shop/orders|nb-1-big-Summary.db", true, false},
    {"data/shop/orders|nb-1-big-TOC.txt", true, false},
    {"data/shop/orders|da-3h5r_1s59_28dio2kj98p3y258wu-bti-Partitions.db", true, false},
    {"data/shop/orders|da-3h5r_1s59_28dio2kj98p3y258wu-bti-Rows.db", true, false},
    {"data/shop/Mixed_Case_Table|nb-1-big-Data.db", true, false},
    {"data/shop/orders_by_day2|nb-1-big-Data.db", true, false},
    {"data/shop/orders_by|nb-1-big-Data.db", true, false},
    {"data/other/orders_by_day|nb-1-big-Data.db", true, false},
    {"data/systematic/orders|nb-1-big-Data.db", true, false},
    // of no backup
    {"data/shop/orders|manifest.json", false, false},
    {"data/shop/orders|schema.cql", false, false},
    // what Cassandra builds from the data
    {"data/shop/orders|.orders_item_idx/nb-1-big-Data.db", false, false},
    {"data/shop/orders|.orders_item_idx/nb-1-big-TOC.txt", false, false},
    {"data/shop/orders|.orders_item_idx/nb-1-big-Digest.crc32", false, false},
    {"data/shop/orders|nb-1-big-SAI+aa+GroupComplete.db", false, false},
    {"data/shop/orders|nb-1-big-SAI+aa+orders_price_sai+BalancedTree.db", false, false},
    {"data/shop/orders|da-3h5r_1s58_5pz4g2kj98p3y258wu-bti-SAI+aa+orders_price_sai+Meta.db", false, false},
    {"data/shop/orders_by_day|nb-1-big-Data.db", false, false},
    {"data/shop/orders_by_day|nb-1-big-TOC.txt", false, false},
    {"data/shop/orders_by_day|.a_view_idx/nb-1-big-Data.db", false, false},
    // of the system
    {"data/system/local|nb-1-big-Data.db", false, false},
    {"data/system_schema/tables|nb-1-big-Data.db", false, false},
    {"data/system_traces/events|nb-1-big-Data.db", false, false},
    {"data/system_distributed/repair_history|nb-1-big-Data.db", false, false},
    // the roles, twice: creating the schema grants rights to its creator
    {"data/system_auth/roles|nb-1-big-Data.db", true, true},
    {"data/system_auth/roles|nb-1-big-TOC.txt", true, true},
    {"data/system_auth/roles|nb-1-big-Digest.crc32", true, true},
    {"data/system_auth/roles|manifest.json", false, false},
    {"data/system_authority/roles|nb-1-big-Data.db", true, false},
};

bool selects(const coordinator::Restore::Selection& selection, std::string path) {
  path.replace(path.find('|'), 1, kTable);
  return snapshot::GroupSet::of_globs(selection.globs).rules_for(path).has_value() &&
         !snapshot::GroupSet::of_globs(selection.excluded_globs).rules_for(path).has_value();
}

TEST(RestoreSelections, HaveEveryFileOfTheDataAndOnlyThose) {
  ::cherax::cassandra::Schema schema{{{.name = "shop",
                                       .cql_create_self = "",
                                       .tables = {{.name = "orders",
                                                   .cql_create_self = "",
                                                   .indexes = {},
                                                   .materialized_views = {{"orders_by_day", ""}},
                                                   .triggers = {}}}}}};
  const auto data = data_selection(schema);
  const auto roles = roles_selection();
  for (const auto& sample : kSamples) {
    EXPECT_EQ(selects(data, sample.path), sample.is_data) << sample.path;
    EXPECT_EQ(selects(roles, sample.path), sample.is_roles) << sample.path;
  }
}

TEST(RestoreSelections, HaveOnlyOurSnapshot) {
  const auto data = data_selection({});
  for (const char* path : {"data/shop/orders-8cd66ed0e79611f1b437e91975696754/nb-1-big-Data.db",
                           "data/shop/orders-8cd66ed0e79611f1b437e91975696754/backups/nb-1-big-Data.db",
                           "data/shop/orders-8cd66ed0e79611f1b437e91975696754/snapshots/snap1/nb-1-big-Data.db"}) {
    EXPECT_FALSE(snapshot::GroupSet::of_globs(data.globs).rules_for(path)) << path;
  }
}

TEST(RestoreSelections, MoveTheFilesOfTheSameKeyspaces) {
  const auto skipped = all_but_system().keyspaces_to_skip;
  EXPECT_THAT(skipped, ElementsAre("system", "system_distributed", "system_schema", "system_traces"));
  EXPECT_THAT(only_roles().keyspaces, ElementsAre("system_auth"));
}

}  // namespace
}  // namespace cherax::plugins::cassandra
