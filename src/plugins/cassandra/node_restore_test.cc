#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http/server.h"
#include "plugins/cassandra/extension_for_tests.h"

namespace cherax::plugins::cassandra {
namespace {

using namespace test;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kSuffix = ".before-backup-1";

/// What a node that ran has in each of its directories.
class NodeRestoreTest : public ExtensionTest {
 protected:
  NodeRestoreTest() {
    write(data() / "shop" / kOrders / "nb-1-big-Data.db", "old data");
    write(path("commitlog/CommitLog-7-1.log"), "old log");
    write(path("hints/1.hints"), "old hint");
    write(path("saved_caches/KeyCache.db"), "old cache");
  }

  json::value clear(const std::string& more = "") {
    return run("unrestore-sstables", fmt::format(R"({{"suffix":"{}"{}}})", kSuffix, more));
  }
  std::string error_of_clear(const std::string& suffix = kSuffix) {
    return error_of("unrestore-sstables", fmt::format(R"({{"suffix":"{}"}})", suffix));
  }
  fs::path aside(const std::string& name) const { return path(name + kSuffix); }
  void expect_nothing_touched() const {
    EXPECT_EQ(text(data() / "shop" / kOrders / "nb-1-big-Data.db"), "old data");
    EXPECT_EQ(text(path("commitlog/CommitLog-7-1.log")), "old log");
    EXPECT_EQ(text(path("hints/1.hints")), "old hint");
    EXPECT_EQ(text(path("saved_caches/KeyCache.db")), "old cache");
  }
  fs::path snapshot_of(const char* table, const std::string& keyspace = "shop") const {
    return data() / keyspace / table / "snapshots/astacus-backup";
  }
};

TEST_F(NodeRestoreTest, ClearingSetsEveryDirectoryAside) {
  clear();
  EXPECT_EQ(text(aside("root/data") / "shop" / kOrders / "nb-1-big-Data.db"), "old data");
  EXPECT_EQ(text(aside("commitlog") / "CommitLog-7-1.log"), "old log");
  EXPECT_EQ(text(aside("hints") / "1.hints"), "old hint");
  EXPECT_EQ(text(aside("saved_caches") / "KeyCache.db"), "old cache");
  EXPECT_FALSE(is_there(aside("cdc_raw"))) << "there was none";
  for (const char* name : {"root/data", "commitlog", "hints", "saved_caches"})
    EXPECT_TRUE(is_there(path(name)) && fs::is_empty(path(name))) << name;
  const auto configuration = run("get-configuration");
  EXPECT_EQ(configuration.at("restoring"), kSuffix);
  EXPECT_EQ(configuration.at("cleared"), true);
}

TEST_F(NodeRestoreTest, ARestoreThatWasKilledWhileItClearedHasNotCleared) {
  fs::create_directories(path("db"));
  write(path("db/restore"), fmt::format(R"({{"suffix":"{}","inodes":{{}}}})", kSuffix));
  EXPECT_EQ(run("get-configuration").at("cleared"), false);
}

TEST_F(NodeRestoreTest, ClearingRemovesAtOnceWhenItIsAskedTo) {
  write(path("hints/deep/er/x"), "x");
  clear(R"(,"discard":true)");
  for (const char* name : {"root/data", "commitlog", "hints", "saved_caches"}) {
    EXPECT_TRUE(is_there(path(name))) << name << " may be a mount point";
    EXPECT_THAT(files_below(path(name)), IsEmpty());
    EXPECT_FALSE(is_there(aside(name)));
  }
  EXPECT_EQ(run("get-configuration").at("restoring"), kSuffix);
}

TEST_F(NodeRestoreTest, AnotherAttemptKeepsWhatTheFirstSetAside) {
  clear();
  write(data() / "shop" / kOrders / "nb-1-big-Data.db", "of the first attempt");
  write(path("commitlog/CommitLog-8-1.log"), "of the first attempt");
  run("stop-cassandra", R"({"cleared":true})");
  clear();
  EXPECT_THAT(files_below(data()), IsEmpty());
  EXPECT_THAT(files_below(path("commitlog")), IsEmpty());
  EXPECT_EQ(text(aside("root/data") / "shop" / kOrders / "nb-1-big-Data.db"), "old data");
  EXPECT_THAT(files_below(aside("commitlog")), ElementsAre("CommitLog-7-1.log"));
}

/// Files of the commit log get their time from the same clock as the marker, which counts in ticks.
class GivenUpRestoreTest : public NodeRestoreTest {
 protected:
  GivenUpRestoreTest() {
    clear();
    write(data() / "shop" / kOrders / "nb-7-big-Data.db", "of a live cluster");
    write(path("commitlog/CommitLog-9-1.log"), "of a live cluster");
    fs::last_write_time(path("commitlog/CommitLog-9-1.log"), fs::file_time_type::clock::now() + std::chrono::hours{1});
  }
  void expect_live_data_kept() const {
    EXPECT_EQ(text(data() / "shop" / kOrders / "nb-7-big-Data.db"), "of a live cluster");
    EXPECT_EQ(text(aside("root/data") / "shop" / kOrders / "nb-1-big-Data.db"), "old data");
  }
};

TEST_F(GivenUpRestoreTest, IsNotContinued) {
  const auto configuration = run("get-configuration");
  EXPECT_EQ(configuration.at("restoring"), "");
  EXPECT_EQ(configuration.at("given_up"), kSuffix);
  for (int attempt = 0; attempt < 2; ++attempt) {
    EXPECT_THAT(error_of_clear(), HasSubstr("is there already: move it away"));
    expect_live_data_kept();
  }
}

TEST_F(GivenUpRestoreTest, AStopDoesNotMakeItTheRestoresAgain) {
  run("stop-cassandra");
  EXPECT_EQ(run("get-configuration").at("restoring"), "");
  error_of_clear();
  run("stop-cassandra", R"({"cleared":true})");  // the operation ends with its failure
  EXPECT_EQ(run("get-configuration").at("restoring"), "");
  expect_live_data_kept();
}

TEST_F(GivenUpRestoreTest, IsReplacedWhenTheOperatorDiscardsWhatIsThere) {
  clear(R"(,"discard":true)");
  EXPECT_THAT(files_below(data()), IsEmpty());
  EXPECT_EQ(text(aside("root/data") / "shop" / kOrders / "nb-1-big-Data.db"), "old data");
  EXPECT_EQ(run("get-configuration").at("restoring"), kSuffix);
}

TEST_F(NodeRestoreTest, TheOldDataPutBackIsSetAsideAgain) {
  clear();
  for (const char* name : {"root/data", "commitlog", "hints", "saved_caches"}) {
    fs::remove_all(path(name));
    fs::rename(aside(name), path(name));
  }
  const auto configuration = run("get-configuration");
  EXPECT_EQ(configuration.at("restoring"), "");
  EXPECT_EQ(configuration.at("given_up"), "") << "nothing is set aside";
  clear();
  EXPECT_EQ(text(aside("root/data") / "shop" / kOrders / "nb-1-big-Data.db"), "old data");
}

TEST_F(NodeRestoreTest, WhatItsOwnStopLeavesIsTheRestores) {
  clear();
  write_script("stop", "touch " + path("commitlog/CommitLog-9-1.log").string());
  fs::last_write_time(path("db/restore"), fs::file_time_type::clock::now() - std::chrono::hours{1});
  run("stop-cassandra", R"({"drain":true,"cleared":true})");
  EXPECT_EQ(run("get-configuration").at("restoring"), kSuffix);
}

// On a full disk the second attempt could not go on.
TEST_F(NodeRestoreTest, AnotherAttemptOnANodeThatWasEmptyDoesNotKeepWhatTheFirstLeft) {
  fs::remove_all(data());
  clear();
  write(data() / "shop" / kOrders / "nb-1-big-Data.db", "of the first attempt");
  clear();
  EXPECT_THAT(files_below(data()), IsEmpty());
  EXPECT_FALSE(is_there(aside("root/data")));
}

// Cassandra could not make them itself where the directory above belongs to root.
TEST_F(NodeRestoreTest, ClearedDirectoriesKeepTheirOwnerAndMode) {
  ASSERT_EQ(::geteuid(), 0U) << "the test needs to be root";
  ASSERT_EQ(::chown(path("commitlog").c_str(), 1234, 2345), 0);
  fs::permissions(path("commitlog"), fs::perms{0750});
  for (int attempt = 0; attempt < 2; ++attempt) {
    clear();
    const auto status = status_of(path("commitlog")).value();
    EXPECT_EQ(status.st_uid, 1234U);
    EXPECT_EQ(status.st_gid, 2345U);
    EXPECT_EQ(status.st_mode & 07777, 0750U);
  }
}

TEST_F(NodeRestoreTest, AnAttemptThatWasKilledHalfWayIsCompleted) {
  fs::rename(data(), aside("root/data"));
  write(path("db/restore"), fmt::format(R"({{"suffix":"{}"}})", kSuffix));
  EXPECT_EQ(run("get-configuration").at("restoring"), kSuffix);
  clear();
  EXPECT_TRUE(is_there(aside("root/data") / "shop"));
  EXPECT_EQ(text(aside("commitlog") / "CommitLog-7-1.log"), "old log");
}

// Nobody knows what it is; asked again, Cherax must not take it for its own.
TEST_F(NodeRestoreTest, WhatStandsInTheWayOfSettingAsideIsNeverOverwrittenHoweverOftenItIsTried) {
  write(aside("hints") / "of somebody", "x");
  for (int attempt = 0; attempt < 3; ++attempt) {
    EXPECT_THAT(error_of_clear(), HasSubstr(aside("hints").string() + " is there already: move it away"));
    expect_nothing_touched();
    EXPECT_EQ(text(aside("hints") / "of somebody"), "x");
  }
}

TEST_F(NodeRestoreTest, AnotherBackupsRestoreDoesNotContinueThisOne) {
  clear();
  write(data() / "shop" / kOrders / "nb-1-big-Data.db", "of the first attempt");
  run("unrestore-sstables", R"({"suffix":".before-backup-2"})");
  EXPECT_EQ(text(aside("root/data") / "shop" / kOrders / "nb-1-big-Data.db"), "old data");
  EXPECT_EQ(text(path("root/data.before-backup-2") / "shop" / kOrders / "nb-1-big-Data.db"), "of the first attempt");
}

TEST_F(NodeRestoreTest, ASuffixMustBeOne) {
  for (const char* suffix : {"", "/x", "/../../elsewhere", ".a/b"}) {
    EXPECT_THAT(error_of_clear(suffix), HasSubstr("cannot be the suffix of a directory")) << suffix;
    expect_nothing_touched();
    EXPECT_EQ(run("get-configuration").at("restoring"), "") << suffix;
    EXPECT_THAT(error_of("finish-restore", fmt::format(R"({{"suffix":"{}"}})", suffix)),
                HasSubstr("cannot be the suffix of a directory"));
    expect_nothing_touched();
  }
}

TEST_F(NodeRestoreTest, NothingIsClearedWhileAPortIsOpen) {
  const http::Server listener{{.port = 0, .spool_directory = directory_.path()}, {}};
  options_.jmx_port = listener.port();
  EXPECT_THAT(error_of_clear(),
              AllOf(HasSubstr("nothing is cleared while Cassandra runs"), HasSubstr(std::to_string(listener.port()))));
  expect_nothing_touched();
  EXPECT_FALSE(is_there(path("db/restore")));
}

TEST_F(NodeRestoreTest, TheTlsPortOfClientsIsAlsoLookedAt) {
  const http::Server listener{{.port = 0, .spool_directory = directory_.path()}, {}};
  edit_yaml("native_transport_port: 3",
            fmt::format("native_transport_port: 3\nnative_transport_port_ssl: {}", listener.port()));
  EXPECT_THAT(error_of_clear(), HasSubstr(std::to_string(listener.port())));
  expect_nothing_touched();
}

TEST_F(NodeRestoreTest, NothingIsClearedWhileAProcessHasAFileOpen) {
  const int held = ::open((path("commitlog") / "CommitLog-7-1.log").c_str(), O_RDONLY);
  const ::pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  ::close(held);
  EXPECT_THAT(error_of_clear(),
              AllOf(HasSubstr("nothing is cleared while Cassandra runs"), HasSubstr(fmt::format("process {}", child))));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  expect_nothing_touched();
  clear();
}

TEST_F(NodeRestoreTest, CassandrasGroupCanReadWhatIsPlacedWhateverTheUmask) {
  const ::gid_t group = ::geteuid() == 0 ? 5678 : ::getegid();  // nobody else may give files away
  ASSERT_EQ(::chown(data().c_str(), ::geteuid(), group), 0);
  ::chmod(data().c_str(), 0750);
  const auto previous = ::umask(077);
  clear();
  write(snapshot_of(kOrders) / "nb-1-big-Data.db", "restored");
  write(snapshot_of(kOrders) / ".orders_item_idx/nb-1-big-Data.db", "index");
  write(snapshot_of(kOrders) / "nb-1-big-TOC.txt", "of everybody");
  fs::permissions(snapshot_of(kOrders) / "nb-1-big-TOC.txt", fs::perms{0664});
  run("restore-sstables");
  ::umask(previous);
  const auto placed = data() / "shop" / kOrders;
  EXPECT_EQ(status_of(placed / "nb-1-big-Data.db")->st_mode & 07777, 0640U);
  EXPECT_EQ(status_of(placed / ".orders_item_idx/nb-1-big-Data.db")->st_mode & 07777, 0640U);
  EXPECT_EQ(status_of(placed / "nb-1-big-TOC.txt")->st_mode & 07777, 0664U);
  EXPECT_EQ(status_of(data())->st_mode & 07777, 0750U);
  EXPECT_EQ(status_of(data())->st_gid, group);
}

TEST_F(NodeRestoreTest, PlacingMovesASnapshotIntoItsTable) {
  clear();
  write(snapshot_of(kOrders) / "nb-1-big-Data.db", "restored");
  write(snapshot_of(kOrders) / "nb-1-big-TOC.txt", "toc");
  write(snapshot_of(kOrders) / ".orders_item_idx/nb-1-big-Data.db", "index");
  run("restore-sstables");
  EXPECT_THAT(files_below(data() / "shop"),
              ElementsAre(fmt::format("{}/.orders_item_idx/nb-1-big-Data.db", kOrders),
                          fmt::format("{}/nb-1-big-Data.db", kOrders), fmt::format("{}/nb-1-big-TOC.txt", kOrders)));
  EXPECT_EQ(text(data() / "shop" / kOrders / "nb-1-big-Data.db"), "restored");
  EXPECT_FALSE(is_there(data() / "shop" / kOrders / "snapshots"));
}

TEST_F(NodeRestoreTest, PlacingFollowsATableThatHasAnotherIdNow) {
  clear();
  write(snapshot_of(kOrders) / "nb-1-big-Data.db", "restored");
  fs::create_directories(data() / "shop" / kOrdersOfOtherId);
  fs::create_directories(data() / "shop/orders_2-59c573f0e79211f1a906a3cc472e365e");
  run("restore-sstables");
  EXPECT_THAT(files_below(data()), ElementsAre(fmt::format("shop/{}/nb-1-big-Data.db", kOrdersOfOtherId)));
  EXPECT_FALSE(is_there(data() / "shop" / kOrders)) << "nothing is left of the place of the download";
}

TEST_F(NodeRestoreTest, PlacingByIdStaysWithTheId) {
  clear();
  write(snapshot_of(kOrders) / "nb-1-big-Data.db", "restored");
  fs::create_directories(data() / "shop" / kOrdersOfOtherId);
  run("restore-sstables", R"({"match_tables_by":"cfid"})");
  EXPECT_THAT(files_below(data()), ElementsAre(fmt::format("shop/{}/nb-1-big-Data.db", kOrders)));
}

TEST_F(NodeRestoreTest, PlacingKeepsToTheKeyspacesThatAreAskedFor) {
  clear();
  for (const char* keyspace : {"shop", "system_auth", "system"})
    write(snapshot_of(kOrders, keyspace) / "nb-1-big-Data.db", keyspace);
  run("restore-sstables", R"({"keyspaces":["system_auth"]})");
  EXPECT_TRUE(is_there(data() / "system_auth" / kOrders / "nb-1-big-Data.db"));
  EXPECT_TRUE(is_there(snapshot_of(kOrders)));
  run("restore-sstables", R"({"keyspaces_to_skip":["system"],"table_glob":"data/*/*"})");
  EXPECT_TRUE(is_there(data() / "shop" / kOrders / "nb-1-big-Data.db"));
  EXPECT_TRUE(is_there(snapshot_of(kOrders, "system")));
}

// Creating the schema has granted rights to its creator, which the backup does not have; perhaps it has no grants at
// all.
TEST_F(NodeRestoreTest, PlacingReplacesTheRolesAlsoWhereTheBackupHasNone) {
  clear();
  const auto roles = data() / "system_auth/roles-5bc52802de2535edaeab188eecebb090";
  const auto permissions = data() / "system_auth/role_permissions-3afbe79f219431a7add7f5ab90d8ec9c";
  write(roles / "nb-1-big-Data.db", "of the start");
  write(roles / "nb-2-big-Data.db", "of the start");
  write(roles / "snapshots/astacus-backup/nb-1-big-Data.db", "restored");
  write(permissions / "nb-1-big-Data.db", "granted to the creator of the schema");
  write(data() / "system/local-7ad54392bcdd35a684174e047860b377/nb-1-big-Data.db", "of the start");
  run("restore-sstables", R"({"keyspaces_to_skip":["system"]})");
  EXPECT_THAT(files_below(roles), ElementsAre("nb-1-big-Data.db"));
  EXPECT_EQ(text(roles / "nb-1-big-Data.db"), "restored");
  EXPECT_THAT(files_below(permissions), IsEmpty());
  EXPECT_TRUE(is_there(data() / "system/local-7ad54392bcdd35a684174e047860b377/nb-1-big-Data.db"));
}

// What Cassandra takes for built, it does not build, and the view would be empty.
TEST_F(NodeRestoreTest, PlacingMakesCassandraBuildItsViewsAgain) {
  const std::string kOther = "local_system";
  edit_yaml("commitlog_directory:",
            fmt::format("local_system_data_file_directory: {}\ncommitlog_directory:", path(kOther).string()));
  std::vector<fs::path> forgotten, kept;
  for (const fs::path& root : {data(), path(kOther)}) {
    forgotten.push_back(root / "system/built_views-4b3c50a9ea873d7691016dbc9c38494a/nb-1-big-Data.db");
    forgotten.push_back(root / "system/view_builds_in_progress-6c22df66c3bd3df6b74d21179c6a9fe9/nb-1-big-Data.db");
    kept.push_back(root / "system/local-7ad54392bcdd35a684174e047860b377/nb-1-big-Data.db");
  }
  kept.push_back(data() / "shop/built_views-4b3c50a9ea873d7691016dbc9c38494b/nb-1-big-Data.db");
  for (const auto& files : {forgotten, kept})
    for (const fs::path& file : files) write(file, "of the start");
  run("restore-sstables", R"({"keyspaces_to_skip":["system"]})");
  for (const fs::path& file : forgotten) EXPECT_FALSE(is_there(file)) << file;
  for (const fs::path& file : kept) EXPECT_TRUE(is_there(file)) << file;
}

TEST_F(NodeRestoreTest, PlacingLeavesOtherSnapshotsAlone) {
  clear();
  write(snapshot_of(kOrders) / "nb-1-big-Data.db", "restored");
  write(data() / "shop" / kOrders / "snapshots/mine/nb-9-big-Data.db", "x");
  run("restore-sstables");
  EXPECT_TRUE(is_there(data() / "shop" / kOrders / "snapshots/mine/nb-9-big-Data.db"));
  EXPECT_FALSE(is_there(snapshot_of(kOrders)));
}

TEST_F(NodeRestoreTest, PlacingRefusesATableThatHoldsDataWhenItShouldNot) {
  write(snapshot_of(kOrders) / "nb-2-big-Data.db", "restored");
  EXPECT_THAT(error_of("restore-sstables", R"({"expect_empty_target":true})"),
              HasSubstr((data() / "shop" / kOrders).string() + " holds SSTables already"));
  EXPECT_TRUE(is_there(snapshot_of(kOrders) / "nb-2-big-Data.db"));
  fs::remove(data() / "shop" / kOrders / "nb-1-big-Data.db");
  run("restore-sstables", R"({"expect_empty_target":true})");
  EXPECT_TRUE(is_there(data() / "shop" / kOrders / "nb-2-big-Data.db"));
}

TEST_F(NodeRestoreTest, APlacingThatWasInterruptedIsCompleted) {
  clear();
  write(snapshot_of(kOrders) / "nb-1-big-Data.db", "restored");
  write(snapshot_of(kOrders) / "nb-1-big-TOC.txt", "toc");
  fs::rename(snapshot_of(kOrders) / "nb-1-big-TOC.txt", data() / "shop" / kOrders / "nb-1-big-TOC.txt");
  run("restore-sstables");
  EXPECT_THAT(files_below(data()), ElementsAre(fmt::format("shop/{}/nb-1-big-Data.db", kOrders),
                                               fmt::format("shop/{}/nb-1-big-TOC.txt", kOrders)));
}

TEST_F(NodeRestoreTest, FinishingRemovesWhatWasSetAsideAndOnlyThat) {
  clear();
  write(data() / "shop" / kOrders / "nb-1-big-Data.db", "restored");
  write(path("hints.before-backup-0") / "1.hints", "of another restore");
  run("start-cassandra");
  run("finish-restore", fmt::format(R"({{"suffix":"{}"}})", kSuffix));
  for (const char* name : {"root/data", "commitlog", "hints", "saved_caches"})
    EXPECT_FALSE(is_there(aside(name))) << name;
  EXPECT_EQ(text(data() / "shop" / kOrders / "nb-1-big-Data.db"), "restored");
  EXPECT_TRUE(is_there(path("hints.before-backup-0") / "1.hints"));
  EXPECT_FALSE(is_there(path("db/cassandra.yaml")));
  EXPECT_EQ(run("get-configuration").at("restoring"), "");
}

}  // namespace
}  // namespace cherax::plugins::cassandra
