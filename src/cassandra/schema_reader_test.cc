#include "cassandra/schema_reader.h"

#include <gtest/gtest.h>

#include "cassandra/cql/recorded_for_tests.h"
#include "cassandra/statements.h"

namespace cherax::cassandra {
namespace {

using cql::recorded;

SchemaRows recorded_rows() {
  return {recorded<cql::Rows>("rows_describe_schema"), recorded<cql::Rows>("rows_schema_keyspaces"),
          recorded<cql::Rows>("rows_schema_types"),    recorded<cql::Rows>("rows_schema_indexes"),
          recorded<cql::Rows>("rows_schema_views"),    recorded<cql::Rows>("rows_schema_triggers")};
}

template <class Objects>
std::vector<std::string> names(const Objects& objects) {
  std::vector<std::string> found;
  for (const auto& object : objects) found.push_back(object.name);
  return found;
}

using Names = std::vector<std::string>;

TEST(SchemaReader, ReadsARealSchema) {
  const Schema schema = schema_from(recorded_rows());
  ASSERT_EQ(names(schema.keyspaces), (Names{"MixedCase", "shop"}));

  const Keyspace& mixed = schema.keyspaces[0];
  EXPECT_FALSE(mixed.durable_writes);
  EXPECT_TRUE(mixed.network_topology_strategy_dcs.empty());
  ASSERT_EQ(names(mixed.tables), Names{"OddTable"});
  EXPECT_EQ(mixed.tables[0].indexes,
            (std::vector<Index>{{"Odd", "CREATE INDEX \"Odd\" ON \"MixedCase\".\"OddTable\" (\"V\"\"q\");"}}));

  const Keyspace& shop = schema.keyspaces[1];
  EXPECT_TRUE(shop.durable_writes);
  EXPECT_EQ(shop.network_topology_strategy_dcs, (std::map<std::string, std::string>{{"dc1", "2"}}));
  EXPECT_EQ(names(shop.user_types), (Names{"money", "address", "aaa"}));
  EXPECT_EQ(shop.user_types[1].field_types, (Names{"text", "int", "frozen<money>"}));
  EXPECT_EQ(names(shop.functions), (Names{"fin", "plus"}));
  EXPECT_EQ(shop.functions[1].argument_types, (Names{"int", "int"}));
  EXPECT_EQ(names(shop.aggregates), Names{"sum2"});
  EXPECT_EQ(names(shop.tables), (Names{"blobs", "counts", "orders", "stat"}));
  const Table& orders = shop.tables[2];
  EXPECT_TRUE(table_id(orders.cql_create_self));
  EXPECT_EQ(names(orders.indexes), (Names{"orders_item_idx", "orders_notes_sai", "orders_tags_idx"}));
  EXPECT_EQ(names(orders.materialized_views), Names{"orders_by_item"});
  EXPECT_EQ(orders.triggers, (std::vector<Trigger>{{"t", "CREATE TRIGGER \"t\" ON \"shop\".\"orders\" USING 'x';"}}));
}

TEST(SchemaReader, KeepsTheReplicationOfSystemKeyspaces) {
  const auto keyspaces = system_keyspaces_from(recorded_rows().keyspaces);
  EXPECT_EQ(names(keyspaces), (Names{"system_auth", "system_distributed", "system_traces"}));
  EXPECT_EQ(keyspaces[1].replication.at("replication_factor"), "3");
  EXPECT_EQ(alter_replication(keyspaces[0]),
            "ALTER KEYSPACE \"system_auth\" WITH replication = {'class': "
            "'org.apache.cassandra.locator.SimpleStrategy', 'replication_factor': '1'}");
}

TEST(SchemaReader, RowsThatDoNotFitTogetherAreCorrupt) {
  for (auto member : {&SchemaRows::types, &SchemaRows::indexes, &SchemaRows::views}) {
    SchemaRows rows = recorded_rows();
    (rows.*member).cells.clear();
    try {
      schema_from(rows);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::corrupt) << error.message();
    }
  }
}

TEST(SchemaReader, ObjectOfAnUnknownKindIsAnErrorNotLeftOut) {
  SchemaRows rows = recorded_rows();
  const std::string novelty = "novelty";
  const ByteView bytes = as_bytes(novelty);
  rows.describe.cells[rows.describe.columns.size() + rows.describe.column("type")].emplace(bytes.begin(), bytes.end());
  EXPECT_THROW(schema_from(rows), Error);
}

/// One row of a recorded DESCRIBE, with other values.
SchemaRows with_function_name(const std::string& name) {
  SchemaRows rows = recorded_rows();
  cql::Rows& describe = rows.describe;
  for (std::size_t i = 0; i < describe.size(); ++i) {
    if (describe[i].get<std::string>("name") != "plus(int, int)") continue;
    const ByteView bytes = as_bytes(name);
    describe.cells[i * describe.columns.size() + describe.column("name")].emplace(bytes.begin(), bytes.end());
  }
  return rows;
}

TEST(SchemaReader, FunctionNamesAreSplitFromTheirArguments) {
  const Function plain =
      schema_from(with_function_name("\"P(\"(map<text, int>, frozen<tuple<int, text>>)")).keyspaces[1].functions[1];
  EXPECT_EQ(plain.name, "P(");
  EXPECT_EQ(plain.argument_types, (Names{"map<text, int>", "frozen<tuple<int, text>>"}));
  EXPECT_TRUE(schema_from(with_function_name("f()")).keyspaces[1].functions[1].argument_types.empty());
  EXPECT_THROW(schema_from(with_function_name("f")), Error);
}

}  // namespace
}  // namespace cherax::cassandra
