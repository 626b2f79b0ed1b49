#include "cassandra/schema.h"

#include <gtest/gtest.h>

namespace cherax::cassandra {
namespace {

TEST(Schema, TableIdIsReadFromTheStatement) {
  EXPECT_EQ(
      table_id(
          "CREATE TABLE a.b (k int PRIMARY KEY) WITH ID = c70f6370-e7d9-11f1-a4d4-c39e4b0bc75c\n AND cdc = false;"),
      "c70f6370-e7d9-11f1-a4d4-c39e4b0bc75c");
  EXPECT_EQ(
      table_id("CREATE TABLE a.b (k int) WITH comment = 'WITH ID = x' AND ID = c70f6370-e7d9-11f1-a4d4-c39e4b0bc75c"),
      "c70f6370-e7d9-11f1-a4d4-c39e4b0bc75c");
  EXPECT_EQ(
      table_id("CREATE TABLE a.b (id int PRIMARY KEY) WITH comment = 'ID = c70f6370-e7d9-11f1-a4d4-c39e4b0bc75c'"),
      std::nullopt);
  EXPECT_EQ(table_id("CREATE TABLE a.b (k int) WITH ID = c70f6370"), std::nullopt);
  EXPECT_EQ(table_id("'"), std::nullopt);
}

TEST(Schema, TablesInsideACommentAreNamed) {
  Schema schema{{{"shop",
                  "CREATE KEYSPACE shop",
                  true,
                  {},
                  {},
                  {},
                  {},
                  {{"fine", "CREATE TABLE shop.fine", {}, {}, {}},
                   {"old",
                    "/*\nWarning: Table shop.old omitted because it has constructs not compatible with CQL (was "
                    "created via legacy API).\nCREATE TABLE shop.old (\n);\n*/",
                    {},
                    {},
                    {}}}}}};
  EXPECT_EQ(tables_without_statement(schema), std::vector<std::string>{"shop.old"});
}

}  // namespace
}  // namespace cherax::cassandra
