#include "plugins/cassandra/plugin_data.h"

#include <gtest/gtest.h>

namespace cherax::plugins::cassandra {
namespace {

json::value parse(const std::string& text) { return json::parse(text).value(); }

/// As Astacus writes it.
constexpr const char* kAstacus = R"({
  "cassandra_schema": {"keyspaces": [{
    "name": "shop", "cql_create_self": "CREATE KEYSPACE shop …", "durable_writes": true,
    "network_topology_strategy_dcs": {"dc1": "3"},
    "user_types": [{"name": "address", "cql_create_self": "CREATE TYPE …", "field_types": ["text", "int"]}],
    "functions": [{"name": "f", "cql_create_self": "CREATE FUNCTION …", "argument_types": ["int"]}],
    "aggregates": [{"name": "a", "cql_create_self": "CREATE AGGREGATE …", "argument_types": []}],
    "tables": [{
      "name": "orders", "cql_create_self": "CREATE TABLE …",
      "indexes": [{"name": "i", "cql_create_self": "CREATE INDEX …"}],
      "materialized_views": [{"name": "v", "cql_create_self": "CREATE MATERIALIZED VIEW …"}],
      "triggers": [{"name": "t", "cql_create_self": "CREATE TRIGGER …"}]
    }]
  }]},
  "nodes": [{"address": "10.0.0.1", "host_id": "id-1", "listen_address": "10.0.0.1", "rack": "r1",
             "tokens": ["-5", "7"]}]
})";

TEST(PluginData, ReadsWhatAstacusWrote) {
  const auto data = json::read<PluginData>(parse(kAstacus)).value();
  const auto& keyspace = data.cassandra_schema.keyspaces.at(0);
  EXPECT_EQ(keyspace.name, "shop");
  EXPECT_EQ(keyspace.network_topology_strategy_dcs.at("dc1"), "3");
  EXPECT_EQ(keyspace.user_types.at(0).field_types.at(1), "int");
  EXPECT_EQ(keyspace.tables.at(0).materialized_views.at(0).name, "v");
  EXPECT_EQ(keyspace.tables.at(0).triggers.at(0).cql_create_self, "CREATE TRIGGER …");
  EXPECT_EQ(data.nodes.at(0).tokens, (std::vector<std::string>{"-5", "7"}));
  EXPECT_EQ(data.nodes.at(0).datacenter, "");
  EXPECT_TRUE(data.system_keyspaces.empty());
}

TEST(PluginData, WritesItAsAstacusDidWhereNothingIsAdded) {
  const auto written = json::to_value(json::read<PluginData>(parse(kAstacus)).value());
  auto expected = parse(kAstacus);
  expected.as_object()["system_keyspaces"] = json::array{};
  EXPECT_EQ(written, expected);
}

TEST(PluginData, KeepsWhatWeAdd) {
  PluginData data{.cassandra_schema = {}, .nodes = {{}}, .system_keyspaces = {{"system_auth", {{"class", "Simple"}}}}};
  BackupNode& node = data.nodes[0];
  node.datacenter = "dc1";
  node.release_version = "5.0.2";
  node.partitioner = "Murmur3Partitioner";
  node.num_tokens = 16;
  node.snapshot_start = Timestamp{std::chrono::seconds{1'700'000'000}};
  node.snapshot_end = Timestamp{std::chrono::seconds{1'700'000'001}};
  const auto read = json::read<PluginData>(parse(json::to_text(data))).value();
  EXPECT_EQ(read.nodes[0].datacenter, "dc1");
  EXPECT_EQ(read.nodes[0].release_version, "5.0.2");
  EXPECT_EQ(read.nodes[0].partitioner, "Murmur3Partitioner");
  EXPECT_EQ(read.nodes[0].num_tokens, 16);
  EXPECT_EQ(read.nodes[0].snapshot_start, node.snapshot_start);
  EXPECT_EQ(read.nodes[0].snapshot_end, node.snapshot_end);
  EXPECT_EQ(read.system_keyspaces, data.system_keyspaces);
}

TEST(PluginData, RefusesWhatIsNoneAndIgnoresWhatANewerOneAdds) {
  for (const char* text : {"{}", "[]", R"({"nodes":[]})", R"({"cassandra_schema":{},"nodes":[{"tokens":"1"}]})",
                           R"({"cassandra_schema":{"keyspaces":[5]},"nodes":[]})"}) {
    EXPECT_FALSE(json::read<PluginData>(parse(text))) << text;
  }
  EXPECT_TRUE(
      json::read<PluginData>(parse(R"({"cassandra_schema":{"keyspaces":[]},"nodes":[{"later":1}],"later":{}})")));
}

}  // namespace
}  // namespace cherax::plugins::cassandra
