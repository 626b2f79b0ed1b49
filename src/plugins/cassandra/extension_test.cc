#include "plugins/cassandra/extension.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <set>

#include "cassandra/addresses.h"
#include "plugins/cassandra/extension_for_tests.h"

namespace cherax::plugins::cassandra {
namespace {

using namespace test;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::array kAllowedToReaders{"get-schema-hash",   "remove-snapshot", "take-snapshot",
                                       "get-configuration", "get-ring",        "get-builds"};

int status_of_refusal(const Extension& extension, std::string_view operation) {
  try {
    extension.require_allowed(operation);
  } catch (const http::ResponseError& error) {
    return error.response.status;
  }
  return 200;
}

TEST_F(ExtensionTest, AReaderMayOnlyBackUp) {
  options_.access_level = AccessLevel::read;
  const std::set<std::string_view> allowed{kAllowedToReaders.begin(), kAllowedToReaders.end()};
  for (const auto& operation : extension().operations()) {
    EXPECT_EQ(status_of_refusal(extension(), operation.name), allowed.contains(operation.name) ? 200 : 403)
        << operation.name;
  }
  try {
    extension().require_allowed("stop-cassandra");
    FAIL();
  } catch (const http::ResponseError& error) {
    EXPECT_EQ(error.response.body.text(1000),
              R"({"detail":"Cassandra subop stop-cassandra is not allowed on access level read"})");
  }
}

TEST_F(ExtensionTest, HasAstacusOperations) {
  std::vector<std::string> names;
  for (const auto& operation : extension().operations()) {
    names.push_back(operation.name);
    EXPECT_EQ(status_of_refusal(extension(), operation.name), 200);
  }
  for (const char* name : {"start-cassandra", "restore-sstables", "get-schema-hash", "remove-snapshot",
                           "unrestore-sstables", "stop-cassandra", "take-snapshot"}) {
    EXPECT_THAT(names, Contains(name));
  }
}

TEST_F(ExtensionTest, WithoutASectionEverythingIsRefused) {
  const Extension none{std::nullopt, node_, clock_};
  EXPECT_EQ(status_of_refusal(none, "take-snapshot"), 409);
}

TEST_F(ExtensionTest, AResultThatIsNotThereYetHasTheShapeOfItsOperation) {
  std::map<std::string, json::value> shapes;
  for (const auto& operation : extension().operations())
    shapes[operation.name] = operation.shape(api::NodeResult{"h", "a", {}, {}});
  const std::string plain = R"("hostname":"h","az":"a","progress":{"handled":0,"failed":0,"total":0,"final":false})";
  EXPECT_EQ(shapes["get-schema-hash"], json::parse("{" + plain + R"(,"schema_hash":""})").value());
  EXPECT_EQ(shapes["stop-cassandra"], json::parse("{" + plain + "}").value());
  EXPECT_EQ(shapes["take-snapshot"].at("hostname"), "h");
}

TEST_F(ExtensionTest, WrongMembersAreRefusedBeforeAnythingElse) {
  for (const auto& [name, body] : {std::pair{"start-cassandra", R"({"tokens":"1"})"},
                                   {"stop-cassandra", R"({"drain":[]})"},
                                   {"unrestore-sstables", R"({"suffix":[]})"},
                                   {"restore-sstables", R"({"keyspaces_to_skip":"system"})"},
                                   {"finish-restore", R"({"result_url":[]})"}}) {
    EXPECT_THROW(run(name, body), http::ResponseError) << name;
  }
}

TEST_F(ExtensionTest, TakesTheSnapshotByNodetoolAndSaysWhen) {
  record_calls_of("nodetool", fmt::format("mkdir -p {0} && echo x > {0}/nb-1-big-Data.db", snapshot().string()));
  const auto result = run("take-snapshot");
  EXPECT_EQ(calls(), "nodetool -p 7199 snapshot -t astacus-backup\n");
  EXPECT_EQ(result.at("hostname"), "host");
  EXPECT_EQ(result.at("progress").at("final"), true);
  EXPECT_TRUE(parse_rfc3339(result.at("start").as_string()));
  EXPECT_TRUE(parse_rfc3339(result.at("end").as_string()));
}

TEST_F(ExtensionTest, ASnapshotWithoutAFileIsNone) {
  write_script("nodetool", fmt::format("mkdir -p {}", snapshot().string()));
  EXPECT_THAT(error_of("take-snapshot"), AllOf(HasSubstr(data().string()), HasSubstr("there is no file of it")));
}

// They are not followed: the backup would lack what is behind them, and nobody would know.
TEST_F(ExtensionTest, RefusesSymbolicLinksInPlaceOfDirectories) {
  const auto moved_away = [&](const fs::path& directory, const std::string& operation) {
    fs::rename(directory, path("moved"));
    fs::create_directory_symlink(path("moved"), directory);
    EXPECT_THAT(error_of(operation),
                AllOf(HasSubstr(directory.string() + " is a symbolic link to"), HasSubstr(path("moved").string())));
    fs::remove(directory);
    fs::rename(path("moved"), directory);
  };
  write(snapshot() / "nb-1-big-Data.db", "x");
  moved_away(data() / "shop" / kOrders, "take-snapshot");
  moved_away(data() / "shop", "take-snapshot");
  for (const char* operation : {"get-schema-hash", "take-snapshot", "get-configuration", "unrestore-sstables"})
    moved_away(data(), operation);
}

TEST_F(ExtensionTest, SaysWhyNodetoolRefused) {
  write_script("nodetool", "echo nodetool: Failed to connect to 127.0.0.1:7199 >&2\nexit 3");
  EXPECT_THAT(error_of("take-snapshot"),
              AllOf(HasSubstr("nodetool"), HasSubstr("3"), HasSubstr("Failed to connect to 127.0.0.1:7199")));
  fs::remove(path("nodetool"));
  EXPECT_THAT(error_of("take-snapshot"), HasSubstr(path("nodetool")));
}

TEST_F(ExtensionTest, RemovesOnlyOurSnapshot) {
  write(data() / "shop" / kOrders / "nb-1-big-Data.db", "live");
  write(data() / "shop" / kOrders / "snapshots/astacus-backup/nb-1-big-Data.db", "x");
  write(data() / "shop" / kOrders / "snapshots/astacus-backup/.idx/nb-1-big-Data.db", "x");
  write(data() / "shop" / kOrdersOfOtherId / "snapshots/astacus-backup/manifest.json", "x");
  write(data() / "shop" / kOrdersOfOtherId / "snapshots/mine/nb-1-big-Data.db", "x");
  write(data() / "system/local-7ad54392bcdd35a684174e047860b377/snapshots/astacus-backup/nb-1-big-Data.db", "x");
  write(data() / "a-file", "x");
  write(data() / "shop/a-file", "x");
  run("remove-snapshot");
  EXPECT_THAT(files_below(data()), ElementsAre("a-file", "shop/a-file",
                                               fmt::format("shop/{}/snapshots/mine/nb-1-big-Data.db", kOrdersOfOtherId),
                                               fmt::format("shop/{}/nb-1-big-Data.db", kOrders)));
  EXPECT_FALSE(is_there(data() / "shop" / kOrders / "snapshots"));
}

TEST_F(ExtensionTest, RemovesTheSnapshotAlsoWhereSystemTablesHaveADirectoryOfTheirOwn) {
  edit_yaml("commitlog_directory:",
            fmt::format("local_system_data_file_directory: {}\ncommitlog_directory:", path("local").string()));
  const auto local = path("local") / "system/local-7ad54392bcdd35a684174e047860b377";
  write(local / "snapshots/astacus-backup/nb-1-big-Data.db", "x");
  run("remove-snapshot");
  EXPECT_FALSE(is_there(local / "snapshots"));
}

TEST_F(ExtensionTest, ThereNeedNotBeASnapshotToRemove) {
  run("remove-snapshot");
  fs::remove(data());
  run("remove-snapshot");
}

std::int64_t blocks_of(const std::vector<fs::path>& files) {
  std::int64_t bytes = 0;
  for (const auto& file : files) bytes += status_of(file)->st_blocks * 512;
  return bytes;
}

TEST_F(ExtensionTest, KnowsItsConfigurationWithoutCassandra) {
  write(data() / "shop" / kOrders / "nb-1-big-Data.db", std::string(1000, 'x'));
  write(data() / "shop/empty-59c573f0e79211f1a906a3cc472e365e/nothing.txt", "");
  write(data() / "system_schema/tables-afddfb9dbc1e30688056eed6c302ba09/nb-1-big-Data.db", "x");
  write(path("commitlog") / "CommitLog-7-1.log", std::string(500, 'x'));
  const auto result = run("get-configuration");
  EXPECT_EQ(result.at("cluster_name"), "Test Cluster");
  EXPECT_THAT(json::read<std::vector<std::string>>(result.at("own_addresses")).value(), Contains("127.0.0.1"));
  EXPECT_EQ(result.at("seeds"), json::parse(R"(["127.0.0.1:1"])").value());
  EXPECT_EQ(result.at("seed_addresses"), json::parse(R"([["127.0.0.1"]])").value());
  EXPECT_EQ(result.at("datacenter"), "datacenter1");
  EXPECT_EQ(result.at("rack"), "rack1");
  EXPECT_EQ(result.at("num_tokens"), 16);
  EXPECT_EQ(result.at("restoring"), "");
  EXPECT_EQ(result.at("user_tables"), json::parse(R"(["shop.empty","shop.orders"])").value())
      << "rows may be in the commit log alone";
  EXPECT_EQ(result.at("data_bytes"),
            blocks_of({data() / "shop" / kOrders / "nb-1-big-Data.db", path("commitlog") / "CommitLog-7-1.log",
                       data() / "system_schema/tables-afddfb9dbc1e30688056eed6c302ba09/"
                                "nb-1-big-Data.db"}));
  EXPECT_GT(result.at("available_bytes").as_int64(), 0);
}

TEST_F(ExtensionTest, RefusesDataElsewhereThanTheRootSays) {
  for (const std::string& directories :
       {path("other/data").string(), data().string() + ", " + path("more").string(), root().string()}) {
    edit_yaml("directories: [" + data().string() + "]", "directories: [" + directories + "]");
    for (const char* operation : {"get-configuration", "unrestore-sstables", "restore-sstables", "get-schema-hash"}) {
      EXPECT_THAT(error_of(operation), AllOf(HasSubstr("keeps its data in " + directories), HasSubstr(data().string())))
          << operation;
    }
  }
  EXPECT_TRUE(is_there(data()));
}

TEST_F(ExtensionTest, HasAllAddressesOfEachSeed) {
  edit_yaml("127.0.0.1:1", "localhost:7000, 192.0.2.1, [::1]:7000, 2001:db8::1");
  const auto configuration = json::read<ConfigurationResult>(run("get-configuration")).value();
  EXPECT_THAT(configuration.seed_addresses,
              ElementsAre(::cherax::cassandra::addresses_of("localhost"), ElementsAre("192.0.2.1"), ElementsAre("::1"),
                          ElementsAre("2001:db8::1")));
}

TEST_F(ExtensionTest, ASeedThatCannotBeResolvedIsAnErrorForARestore) {
  edit_yaml("127.0.0.1:1", "127.0.0.1, seed.invalid:7000");
  const auto configuration = json::read<ConfigurationResult>(run("get-configuration")).value();
  EXPECT_THAT(configuration.address_error,
              AllOf(HasSubstr(path("cassandra.yaml").string()), HasSubstr("the seed seed.invalid:7000"),
                    HasSubstr("resolving seed.invalid failed"), HasSubstr("seed_provider")));
}

TEST_F(ExtensionTest, SaysThatSeedsCannotBeKnown) {
  edit_yaml("org.apache.cassandra.locator.SimpleSeedProvider", "com.example.K8sSeedProvider");
  EXPECT_THAT(json::read<ConfigurationResult>(run("get-configuration"))->address_error,
              HasSubstr("com.example.K8sSeedProvider"));
}

struct Unmount {
  fs::path directory;
  ~Unmount() { ::umount(directory.c_str()); }
};

// A disk of its own for the data is mounted there.
TEST_F(ExtensionTest, TheFreeSpaceIsThatOfTheFileSystemOfTheData) {
  ASSERT_EQ(::mount("tmpfs", data().c_str(), "tmpfs", 0, nullptr), 0) << "the test needs to be root, and to mount";
  const Unmount unmount{data()};
  struct ::statvfs expected {};
  ASSERT_EQ(::statvfs(data().c_str(), &expected), 0);
  struct ::statvfs of_root {};
  ASSERT_EQ(::statvfs(root().c_str(), &of_root), 0);
  ASSERT_NE(expected.f_files, of_root.f_files) << "the test needs two file systems";
  const auto configuration = json::read<ConfigurationResult>(run("get-configuration")).value();
  EXPECT_THAT(configuration.mount_points, ElementsAre(data().string()));
  const auto files = configuration.available_files;
  const auto distance = [&](const struct ::statvfs& space) {
    return std::max<std::uint64_t>(files, space.f_favail) - std::min<std::uint64_t>(files, space.f_favail);
  };
  EXPECT_LT(distance(expected), distance(of_root));
}

TEST_F(ExtensionTest, AFileOfSeveralNamesGivesItsSpaceBackOnce) {
  const auto file = data() / "shop" / kOrders / "nb-1-big-Data.db";
  write(file, std::string(100'000, 'x'));
  fs::create_directories(snapshot());
  fs::create_hard_link(file, snapshot() / "nb-1-big-Data.db");
  fs::create_hard_link(file, path("commitlog") / "of another directory");
  ASSERT_GE(blocks_of({file}), 100'000);
  EXPECT_EQ(run("get-configuration").at("data_bytes"), blocks_of({file}));
  fs::create_hard_link(file, root() / "kept");
  EXPECT_EQ(run("get-configuration").at("data_bytes"), 0) << "the name that stays keeps it";
}

TEST_F(ExtensionTest, AFileGivesBackTheSpaceThatItHas) {
  const auto sparse = path("commitlog") / "CommitLog-7-1.log", preallocated = path("hints") / "1.hints";
  write(sparse, "x");
  write(preallocated, "x");
  fs::resize_file(sparse, 1 << 24);
  const File file{preallocated, O_RDWR};
  ASSERT_EQ(::fallocate(file.descriptor(), FALLOC_FL_KEEP_SIZE, 0, 1 << 20), 0);
  const auto bytes = run("get-configuration").at("data_bytes").as_int64();
  EXPECT_EQ(bytes, blocks_of({sparse, preallocated}));
  EXPECT_GE(bytes, 1 << 20);
  EXPECT_LT(bytes, 1 << 24);
}

TEST_F(ExtensionTest, WhatIsOnAnotherFileSystemGivesTheDataNoSpace) {
  ASSERT_EQ(::mount("tmpfs", path("commitlog").c_str(), "tmpfs", 0, nullptr), 0)
      << "the test needs to be root, and to mount";
  const Unmount unmount{path("commitlog")};
  fs::create_directory(path("hints/deep"));
  ASSERT_EQ(::mount("tmpfs", path("hints/deep").c_str(), "tmpfs", 0, nullptr), 0);
  const Unmount unmount_deep{path("hints/deep")};
  write(path("commitlog/CommitLog-7-1.log"), std::string(100'000, 'x'));
  write(path("hints/deep/1.hints"), std::string(100'000, 'x'));
  write(path("hints/2.hints"), "x");
  EXPECT_EQ(run("get-configuration").at("data_bytes"), blocks_of({path("hints/2.hints")}));
}

// As in the cassandra.yaml that Cassandra comes with.
TEST_F(ExtensionTest, AddressesMayBeNames) {
  edit_yaml("_address: 127.0.0.1", "_address: localhost");
  const auto configuration = run("get-configuration");
  EXPECT_THAT(json::read<std::vector<std::string>>(configuration.at("own_addresses")).value(), Contains("127.0.0.1"));
  EXPECT_EQ(run("get-ring").at("answers"), false);
  EXPECT_EQ(error_of("stop-cassandra"), "no error");
  EXPECT_EQ(error_of("unrestore-sstables"), "no error");
}

TEST_F(ExtensionTest, AnAddressThatIsNotKnownKeepsNobodyFromABackup) {
  edit_yaml("listen_address: 127.0.0.1", "listen_address: 127.0.0.1\nlisten_interface: lo");
  EXPECT_THAT(json::read<ConfigurationResult>(run("get-configuration"))->address_error,
              AllOf(HasSubstr(path("cassandra.yaml").string()), HasSubstr("listen_address and listen_interface")));
  const auto ring = json::read<RingResult>(run("get-ring")).value();
  EXPECT_TRUE(ring.alive) << "it is not known, so nobody starts it again";
  EXPECT_THAT(ring.why_not, HasSubstr("listen_address and listen_interface"));
  EXPECT_THAT(error_of("unrestore-sstables"), HasSubstr("listen_address and listen_interface"));
  EXPECT_TRUE(is_there(data()));
}

TEST_F(ExtensionTest, ARingThatDoesNotAnswerIsAResultNotAFailure) {
  const auto result = run("get-ring");
  EXPECT_EQ(result.at("answers"), false);
  EXPECT_EQ(result.at("alive"), false);
  EXPECT_NE(result.at("why_not"), "");
  EXPECT_EQ(result.at("progress").at("failed"), 0);
}

}  // namespace
}  // namespace cherax::plugins::cassandra
