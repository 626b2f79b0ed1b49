#include <gmock/gmock.h>

#include "base/json.h"
#include "cli/fixture_for_tests.h"

namespace cherax::cli {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kOneBackup =
    R"({"storages":[{"storage_name":"x","backups":[{"name":"2026-11-23T23:23:52+00:00",
        "start":"2026-11-23T23:23:52Z","end":"2026-11-23T23:24:53Z","plugin":"files","attempt":1,"nodes":3,"files":69,
        "total_size":20240,"upload_size":0,"upload_stored_size":0,"cluster_files":67,"cluster_data_size":13318697,
        "tiered_storage_size":null}]}]})";

using ListTest = CommandTest;

TEST_F(ListTest, PrintsTables) {
  ScriptedServer server;
  server.on("GET /list", std::string{kOneBackup});
  const auto ended = run({"list", "-u", server.url()});
  EXPECT_EQ(ended.code, ExitCode::success);
  EXPECT_EQ(ended.out,
            R"(| Storage   | Plugin   |   Att |   Nodes | % change   |
|-----------|----------|-------|---------|------------|
| x         | files    |     1 |       3 | 0.00%      |

| Name                      | Duration   |   Files | Size    |
|---------------------------|------------|---------|---------|
| 2026-11-23T23:23:52+00:00 | 1m 1s      |      69 | 20.2 KB |
)");
  EXPECT_EQ(ended.err, "");
}

TEST_F(ListTest, AsksForTheStorage) {
  ScriptedServer server;
  server.on("GET /list", R"({"storages":[]})");
  run({"-u", server.url(), "list", "--storage", "a b"});
  ASSERT_EQ(server.received().size(), 1U);
  EXPECT_EQ(server.received()[0].query, (http::Parameters{{"storage", "a b"}}));
}

TEST_F(ListTest, JsonIsTheServersAnswer) {
  ScriptedServer server;
  server.on("GET /list", std::string{kOneBackup});
  const auto ended = run({"--json", "-u", server.url(), "list"});
  EXPECT_EQ(ended.code, ExitCode::success);
  EXPECT_EQ(json::parse(ended.out).value(), json::parse(kOneBackup).value());
}

TEST_F(ListTest, AListUnderWayElsewhereIsAFailure) {
  ScriptedServer server;
  server.on("GET /list", R"({"detail":"Already caching list result"})", 429);
  const auto ended = run({"-u", server.url(), "list"});
  EXPECT_EQ(ended.code, ExitCode::failure);
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(ended.err, HasSubstr("/list: the server answered with status 429: Already caching list result"));
}

}  // namespace
}  // namespace cherax::cli
