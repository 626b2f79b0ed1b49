#include "repository/summary.h"

#include <gtest/gtest.h>

#include "repository/testing.h"

namespace cherax::repository {
namespace {

using testing::put_manifest;
using testing::snapshot_result;

class SummaryTest : public testing::RepositoryTest {
 protected:
  api::ListEntry summary(const std::vector<std::string>& results) {
    const auto name = put_manifest(manifests_, parse_rfc3339("2026-11-23T22:40:25Z").value(), results);
    return summarize(name, manifests_.open(name));
  }
};

TEST_F(SummaryTest, CountsAContentAsOftenAsTheNodeWithMostCopiesHasIt) {
  const std::string a(300, 'a'), b(400, 'b');
  const auto entry = summary({snapshot_result({a, a, b}), snapshot_result({a, b, b, b}), snapshot_result({})});
  EXPECT_EQ(entry.name, "2026-11-23T22:40:25+00:00");
  EXPECT_EQ(entry.nodes, 3);
  EXPECT_EQ(entry.files, 7);
  EXPECT_EQ(entry.total_size, 3 * 300 + 4 * 400);
  EXPECT_EQ(entry.cluster_files, 2 + 3);
  EXPECT_EQ(entry.cluster_data_size, 2 * 300 + 3 * 400);
}

TEST_F(SummaryTest, EmbeddedFilesAreOneContentOfTheSizeOfTheFirst) {
  const auto entry = summary({snapshot_result({}, {"12345", "1"}), snapshot_result({}, {"1", "12", "123"})});
  EXPECT_EQ(entry.cluster_files, 3);
  EXPECT_EQ(entry.cluster_data_size, 3 * 5);
}

TEST_F(SummaryTest, SumsOfAHostileManifestStopAtTheLargestNumber) {
  const std::string result = R"({"files":9223372036854775807,"total_size":9223372036854775807,"state":{}})";
  const auto entry = summary({result, result});
  EXPECT_EQ(entry.files, std::numeric_limits<std::int64_t>::max());
}

}  // namespace
}  // namespace cherax::repository
