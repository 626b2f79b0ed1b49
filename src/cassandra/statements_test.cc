#include "cassandra/statements.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace cherax::cassandra {
namespace {

std::vector<std::string> names(const std::vector<Statement>& statements) {
  std::vector<std::string> found;
  for (const Statement& statement : statements) found.push_back(to_string(statement));
  return found;
}

using Names = std::vector<std::string>;

Schema example() {
  Keyspace keyspace{
      "shop", "CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': '1'};",
      true,   {},
      {},     {},
      {},     {}};
  keyspace.user_types = {{"outer", "CREATE TYPE shop.outer (a frozen<inner>);", {"frozen<inner>"}},
                         {"inner", "CREATE TYPE shop.inner (a int);", {"int"}}};
  keyspace.functions = {{"f", "CREATE FUNCTION shop.f(a int) AS $$return a;$$;", {"int"}}};
  keyspace.aggregates = {{"g", "CREATE AGGREGATE shop.g(int) SFUNC f STYPE int;", {"int"}}};
  keyspace.tables = {
      {"t",
       "CREATE TABLE shop.t (k int PRIMARY KEY, old text);\nALTER TABLE shop.t DROP old USING TIMESTAMP 1;",
       {{"i", "CREATE INDEX i ON shop.t (v);"}},
       {{"v", "CREATE MATERIALIZED VIEW shop.v AS SELECT k FROM shop.t WHERE k IS NOT NULL PRIMARY KEY (k);"}},
       {{"r", "CREATE TRIGGER r ON shop.t USING 'x';"}}}};
  return {{keyspace}};
}

TEST(Statements, DataFindsTypesFunctionsTablesAndViewsInAnOrderThatWorks) {
  const auto statements = statements_before_data(example());
  EXPECT_EQ(names(statements), (Names{"keyspace shop", "type shop.inner", "type shop.outer", "function shop.f(int)",
                                      "aggregate shop.g(int)", "table shop.t", "materialized view shop.v of table t"}));
  EXPECT_EQ(statements[5].parts, (Names{"CREATE TABLE shop.t (k int PRIMARY KEY, old text)",
                                        "ALTER TABLE shop.t DROP old USING TIMESTAMP 1"}));
}

TEST(Statements, IndexesAndTriggersComeAfterTheData) {
  EXPECT_EQ(names(statements_after_data(example())), (Names{"index shop.i of table t", "trigger shop.r of table t"}));
}

TEST(Statements, SystemKeyspacesAreLeftOut) {
  Schema schema = example();
  schema.keyspaces[0].name = "system_auth";
  EXPECT_TRUE(statements_before_data(schema).empty());
  EXPECT_TRUE(statements_after_data(schema).empty());
}

TEST(Statements, TableThatIsOnlyACommentIsLeftOut) {
  Schema schema = example();
  schema.keyspaces[0].tables[0].cql_create_self = "/* Warning: Table shop.t omitted */";
  EXPECT_EQ(statements_before_data(schema).size(), 6u);
}

TEST(Statements, TextThatCannotBeSplitNamesItsObject) {
  Schema schema = example();
  schema.keyspaces[0].tables[0].cql_create_self = "CREATE TABLE 'x";
  try {
    statements_before_data(schema);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::corrupt);
    EXPECT_TRUE(error.message().starts_with("table shop.t: ")) << error.message();
  }
}

TEST(Statements, ReplicationOfOneDatacenterReplacesTheDescribedOne) {
  Schema schema = example();
  Keyspace& keyspace = schema.keyspaces[0];
  keyspace.cql_create_self =
      "CREATE KEYSPACE shop WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3', 'dc2': '2'} AND "
      "durable_writes = true;";
  keyspace.network_topology_strategy_dcs = {{"dc1", "3"}, {"dc2", "2"}};
  EXPECT_EQ(statements_before_data(schema)[0].text, keyspace.cql_create_self);
  keyspace.network_topology_strategy_dcs = {{"dc1", "3"}};
  EXPECT_EQ(statements_before_data(schema)[0].text,
            "CREATE KEYSPACE \"shop\" WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': '3'} AND "
            "durable_writes = true;");
}

TEST(Statements, TypesThatNeedEachOtherInACircleAreCorrupt) {
  Schema schema = example();
  schema.keyspaces[0].user_types[1].field_types = {"frozen<outer>"};
  EXPECT_THROW(statements_before_data(schema), Error);
}

RC_GTEST_PROP(Statements, EveryTypeComesAfterThoseInItsFields, ()) {
  const int count = *rc::gen::inRange(1, 12);
  std::vector<UserType> types;
  for (int i = 0; i < count; ++i) {
    UserType type{fmt::format("T{}", i), fmt::format("CREATE TYPE k.\"T{}\" ()", i), {"text"}};
    for (int j = 0; j < i; ++j) {
      if (*rc::gen::inRange(0, 3) == 0) type.field_types.push_back(fmt::format("list<frozen<\"T{}\">>", j));
    }
    types.push_back(std::move(type));
  }
  Schema schema = example();
  schema.keyspaces[0].user_types = types;
  for (std::size_t i = types.size(); i > 1; --i) {
    std::swap(schema.keyspaces[0].user_types[i - 1],
              schema.keyspaces[0].user_types[*rc::gen::inRange<std::size_t>(0, i)]);
  }
  std::vector<std::string> created;
  for (const Statement& statement : statements_before_data(schema)) {
    if (statement.kind != Statement::Kind::type) continue;
    const auto& type = *std::ranges::find(types, statement.name, &UserType::name);
    for (std::size_t f = 1; f < type.field_types.size(); ++f) {
      const std::string needed = type.field_types[f].substr(13, type.field_types[f].size() - 16);
      RC_ASSERT(std::ranges::find(created, needed) != created.end());
    }
    created.push_back(statement.name);
  }
  RC_ASSERT(created.size() == types.size());
}

RC_GTEST_PROP(Statements, OrderThatWorksIsKept, ()) {
  Schema schema = example();
  auto& types = schema.keyspaces[0].user_types;
  types.clear();
  const int count = *rc::gen::inRange(1, 10);
  for (int i = 0; i < count; ++i)
    types.push_back({fmt::format("t{}", i),
                     "CREATE TYPE x",
                     {i > 0 && *rc::gen::arbitrary<bool>() ? fmt::format("frozen<t{}>", i - 1) : "int"}});
  int next = 0;
  for (const Statement& statement : statements_before_data(schema)) {
    if (statement.kind == Statement::Kind::type) RC_ASSERT(statement.name == fmt::format("t{}", next++));
  }
}

}  // namespace
}  // namespace cherax::cassandra
