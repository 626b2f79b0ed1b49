#include "cassandra/definition.h"

#include <gtest/gtest.h>

namespace cherax::cassandra {
namespace {

TEST(Definition, WhiteSpaceCommentsAndKindOfQuotesDoNotCount) {
  EXPECT_TRUE(same_definition("CREATE TYPE shop.money (a int, b text);",
                              "create type \"shop\".money (\n  a int, -- x\n  b text)"));
  EXPECT_TRUE(same_definition("CREATE FUNCTION f() AS $$it's$$", "CREATE FUNCTION f() AS 'it''s';"));
}

TEST(Definition, ColumnsCount) {
  EXPECT_FALSE(same_definition("CREATE TYPE t (a int)", "CREATE TYPE t (a bigint)"));
  EXPECT_FALSE(same_definition("CREATE TYPE t (a int)", "CREATE TYPE t (a int, b int)"));
  EXPECT_FALSE(same_definition("CREATE TYPE t (\"A\" int)", "CREATE TYPE t (a int)"));
  EXPECT_FALSE(same_definition("CREATE INDEX i ON t (a) USING 'x'", "CREATE INDEX i ON t (a) USING x"));
}

TEST(Definition, OrderOfColumnsCountsInTypesNotInTables) {
  EXPECT_TRUE(same_definition("CREATE TABLE t (a map<text, int>, b int, PRIMARY KEY (a, b))",
                              "CREATE TABLE t (b int, a map<text, int>, PRIMARY KEY (a, b))"));
  EXPECT_FALSE(same_definition("CREATE TABLE t (a int, b int, PRIMARY KEY (a, b))",
                               "CREATE TABLE t (a int, b int, PRIMARY KEY (b, a))"));
  EXPECT_FALSE(same_definition("CREATE TABLE t (a map<text, int>)", "CREATE TABLE t (a map<int, text>)"));
  EXPECT_FALSE(same_definition("CREATE TYPE t (a int, b int)", "CREATE TYPE t (b int, a int)"));
  EXPECT_FALSE(same_definition("CREATE TABLE t (\",\" int)", "CREATE TABLE t (, int)"));
}

TEST(Definition, IdsCount) {
  const std::string table = "CREATE TABLE t (a int PRIMARY KEY) WITH ID = c70f6370-e7d9-11f1-a4d4-c39e4b0bc75";
  EXPECT_TRUE(same_definition(table + "c", table + "c AND comment = ''"));
  EXPECT_FALSE(same_definition(table + "c", table + "d"));
}

TEST(Definition, OptionsThatOneVersionDoesNotKnowDoNotCountOthersDo) {
  const std::string table = "CREATE TABLE t (a int PRIMARY KEY) WITH comment = 'a and b'";
  EXPECT_TRUE(same_definition(table + " AND cdc = false", table + " AND memtable = 'default'"));
  EXPECT_FALSE(same_definition(table + " AND cdc = false", table + " AND cdc = true"));
  EXPECT_FALSE(
      same_definition(table + " AND compression = {'a': '1', 'b': '2'}", table + " AND compression = {'a': '1'}"));
  EXPECT_FALSE(
      same_definition(table + " AND CLUSTERING ORDER BY (a ASC)", table + " AND CLUSTERING ORDER BY (a DESC)"));
}

TEST(Definition, WhereClauseOfAViewCounts) {
  const std::string view = "CREATE MATERIALIZED VIEW v AS SELECT a FROM t WHERE a IS NOT NULL ";
  EXPECT_FALSE(same_definition(view + "AND b IS NOT NULL PRIMARY KEY (a)", view + "PRIMARY KEY (a)"));
}

TEST(Definition, EveryStatementCounts) {
  EXPECT_TRUE(same_definition("CREATE TABLE t;\nALTER TABLE t DROP a USING TIMESTAMP 1;",
                              "CREATE TABLE t; ALTER TABLE t DROP a USING TIMESTAMP 1"));
  EXPECT_FALSE(same_definition("CREATE TABLE t; ALTER TABLE t DROP a", "CREATE TABLE t"));
}

TEST(Definition, TextThatIsNoCqlEqualsNothing) {
  EXPECT_FALSE(same_definition("'", "'"));
  EXPECT_FALSE(same_definition("", ""));
}

}  // namespace
}  // namespace cherax::cassandra
