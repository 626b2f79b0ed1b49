#include "cassandra/system_tables.h"

#include <gtest/gtest.h>

#include "cassandra/cql/recorded_for_tests.h"

namespace cherax::cassandra {
namespace {

using cql::recorded;

TEST(SystemTables, ReadsTheLocalNode) {
  const LocalInfo local = local_from(recorded<cql::Rows>("rows_local"));
  EXPECT_EQ(local.address, "127.0.7.2");
  EXPECT_EQ(local.listen_address, "127.0.7.2");
  EXPECT_EQ(local.native_address, "127.0.7.2");
  EXPECT_EQ(local.host_id, "92e953f6-9a0d-4194-855c-3bac29927374");
  EXPECT_EQ(local.datacenter, "dc1");
  EXPECT_EQ(local.rack, "r2");
  EXPECT_EQ(local.release_version, "5.0.9");
  EXPECT_EQ(local.cluster_name, "f50");
  EXPECT_EQ(local.partitioner, "org.apache.cassandra.dht.Murmur3Partitioner");
  EXPECT_EQ(local.bootstrapped, "COMPLETED");
  EXPECT_EQ(local.schema_version.size(), 36u);
  EXPECT_EQ(local.tokens, (std::vector<std::string>{"-3074457345618258603", "-7686143364045646506",
                                                    "1537228672809129300", "6148914691236517203"}));
}

TEST(SystemTables, ReadsTheLocalNodeOf41) {
  const LocalInfo local = local_from(recorded<cql::Rows>("rows_local_4_1"));
  EXPECT_EQ(local.release_version, "4.1.10");
  EXPECT_EQ(local.tokens.size(), 4u);
}

TEST(SystemTables, ReadsPeers) {
  const auto peers = peers_from(recorded<cql::Rows>("rows_peers_v2"));
  ASSERT_EQ(peers.size(), 2u);
  EXPECT_EQ(peers[0].address, "127.0.7.1");
  EXPECT_EQ(peers[0].native_address, "127.0.7.1");
  EXPECT_EQ(peers[0].host_id, "3536b157-006a-4218-897e-e3472a811716");
  EXPECT_EQ(peers[1].address, "127.0.7.3");
  EXPECT_EQ(peers[1].rack, "r3");
  EXPECT_EQ(peers[1].tokens.size(), 4u);
}

TEST(SystemTables, DirectoryListsAreTakenApart) {
  EXPECT_EQ(parse_directory_list("[/a/data]"), (std::vector<std::filesystem::path>{"/a/data"}));
  EXPECT_EQ(parse_directory_list("[/a/data, /b,c/data]"), (std::vector<std::filesystem::path>{"/a/data", "/b,c/data"}));
  EXPECT_TRUE(parse_directory_list("[]").empty());
}

}  // namespace
}  // namespace cherax::cassandra
