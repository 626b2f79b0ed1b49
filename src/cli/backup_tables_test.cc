#include "cli/backup_tables.h"

#include <gtest/gtest.h>

#include "cli/table.h"

// The expected texts were printed by tabulate 0.9.0 with Astacus' columns.
namespace cherax::cli {
namespace {

api::ListEntry entry(std::string name, std::string_view start, std::string_view end) {
  return {.name = std::move(name),
          .start = parse_rfc3339(start).value(),
          .end = parse_rfc3339(end).value(),
          .plugin = "files",
          .attempt = 1,
          .nodes = 3,
          .files = 69,
          .total_size = 14'096'834,
          .upload_size = 11'940'860,
          .upload_stored_size = 5'609'226};
}

TEST(FormatBackups, PutsWhatIsEqualForAllBackupsInTheUpperTable) {
  const api::StorageList storage{
      "one", {entry("2026-11-23T23:23:52+00:00", "2026-11-23T23:23:52.956718Z", "2026-11-23T23:23:53.369932Z")}};
  EXPECT_EQ(format_backups({{storage}}),
            R"(| Storage   | Plugin   |   Att |   Nodes | % change   | Comp %   |
|-----------|----------|-------|---------|------------|----------|
| one       | files    |     1 |       3 | 84.71%     | 53.02%   |

| Name                      | Duration   |   Files | Size    |
|---------------------------|------------|---------|---------|
| 2026-11-23T23:23:52+00:00 |            |      69 | 14.1 MB |
)");
}

TEST(FormatBackups, PutsWhatDiffersInTheLowerTable) {
  auto second = entry("2026-11-25T00:00:00+00:00", "2026-11-25T00:00:00Z", "2026-11-26T01:00:04Z");
  second.plugin = "cassandra";
  second.attempt = 12;
  second.nodes = 4;
  second.files = 1'234'567;
  second.total_size = 999;
  second.upload_size = second.upload_stored_size = 0;
  const api::StorageList storage{
      "several",
      {entry("2026-11-23T23:23:52+00:00", "2026-11-23T23:23:52.956718Z", "2026-11-24T00:24:53.956718Z"), second}};
  EXPECT_EQ(format_backups({{storage}}),
            R"(| Storage   | % change   | Comp %   |
|-----------|------------|----------|
| several   | 84.70%     | 53.02%   |

| Name                      | Duration   |   Files | Size    | Plugin    |   Att |   Nodes |
|---------------------------|------------|---------|---------|-----------|-------|---------|
| 2026-11-23T23:23:52+00:00 | 1h 1m 1s   |      69 | 14.1 MB | files     |     1 |       3 |
| 2026-11-25T00:00:00+00:00 | 1d 1h 4s   | 1234567 | 999 B   | cassandra |    12 |       4 |
)");
}

TEST(FormatBackups, SeparatesStoragesAndShowsOneWithoutBackups) {
  auto of_nothing = entry("2026-11-23T23:23:52+00:00", "2026-11-23T23:23:52Z", "2026-11-23T23:23:52Z");
  of_nothing.files = of_nothing.total_size = of_nothing.upload_size = of_nothing.upload_stored_size = 0;
  EXPECT_EQ(format_backups({{{"empty", {}}, {"bücher", {of_nothing}}}}),
            R"(| Storage   |
|-----------|
| empty     |

| name   | duration   | files   | total_size   |
|--------|------------|---------|--------------|

| Storage   | Plugin   |   Att |   Nodes |
|-----------|----------|-------|---------|
| bücher    | files    |     1 |       3 |

| Name                      | Duration   |   Files | Size   |
|---------------------------|------------|---------|--------|
| 2026-11-23T23:23:52+00:00 |            |       0 | 0 B    |
)");
}

TEST(FormatBackups, ShowsNoControlCharactersOfAName) {
  auto hostile = entry("a\x1b[2J\nb", "2026-11-23T23:23:52Z", "2026-11-23T23:23:52Z");
  const auto text = format_backups({{{"x", {hostile}}}});
  EXPECT_NE(text.find("| a\\x1b[2J\\x0ab |"), std::string::npos) << text;
}

TEST(FormatBackups, OfNoStorageIsEmpty) { EXPECT_EQ(format_backups({}), ""); }

}  // namespace
}  // namespace cherax::cli
