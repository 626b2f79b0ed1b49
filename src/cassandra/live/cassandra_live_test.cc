// The CQL client and the schema's way out and back, on a real node that is named by the environment:
//   CHERAX_CQL_HOSTNAME, CHERAX_CQL_PORT, CHERAX_CQL_USERNAME, CHERAX_CQL_PASSWORD
// Needs user-defined functions and materialized views. Creates and drops the keyspace cherax_live. tests/system runs it.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "cassandra/schema_reader.h"
#include "cassandra/statements.h"
#include "cassandra/system_tables.h"

namespace cherax::cassandra {
namespace {

using namespace std::chrono_literals;

constexpr const char* kKeyspace = "cherax_live";

Deadline soon() { return Deadline::in(60s); }

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  if (!value) fail(ErrorKind::invalid, "the environment variable {} is not set", name);
  return value;
}

cql::Connection connect() {
  ClientOptions options;
  options.hostnames = {variable("CHERAX_CQL_HOSTNAME")};
  options.port = static_cast<std::uint16_t>(std::stoi(variable("CHERAX_CQL_PORT")));
  options.username = variable("CHERAX_CQL_USERNAME");
  options.password = variable("CHERAX_CQL_PASSWORD");
  return {options, soon()};
}

const std::vector<std::string> kStatements{
    "CREATE KEYSPACE cherax_live WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 1} AND durable_writes "
    "= false",
    "CREATE TYPE cherax_live.z_inner (amount decimal, \"Zip Code\" int)",
    "CREATE TYPE cherax_live.a_outer (price frozen<z_inner>, tags frozen<set<text>>)",
    "CREATE FUNCTION cherax_live.plus(a int, b int) RETURNS NULL ON NULL INPUT RETURNS int LANGUAGE java AS $$ return "
    "a + b; // ; 'x' $$",
    "CREATE FUNCTION cherax_live.plus(a bigint, b map<text, int>) CALLED ON NULL INPUT RETURNS bigint LANGUAGE java AS "
    "'return a; /* it''s; */'",
    "CREATE FUNCTION cherax_live.\"Twice\"(a z_inner) CALLED ON NULL INPUT RETURNS int LANGUAGE java AS "
    "'return 2;'",
    "CREATE AGGREGATE cherax_live.total(int) SFUNC plus STYPE int INITCOND 0",
    "CREATE TABLE cherax_live.orders (customer text, id timeuuid, item text, notes text, price frozen<a_outer>, tags "
    "set<text>, old int, older text, "
    "PRIMARY KEY (customer, id)) WITH comment = 'it''s; a -- \"comment\" /* x */ $$' AND CLUSTERING ORDER BY (id DESC)",
    "ALTER TABLE cherax_live.orders DROP old",
    "ALTER TABLE cherax_live.orders DROP older",
    "ALTER TABLE cherax_live.orders ADD older text",
    "CREATE TABLE cherax_live.counts (k text PRIMARY KEY, n counter)",
    "CREATE TABLE cherax_live.\"Odd_Table\" (\"K\" int PRIMARY KEY, \"V\"\"q;\" text)",
    "CREATE INDEX orders_item ON cherax_live.orders (item)",
    "CREATE INDEX \"Odd_Index\" ON cherax_live.\"Odd_Table\" (\"V\"\"q;\")",
    "CREATE INDEX orders_tags ON cherax_live.orders (values(tags))",
    "CREATE MATERIALIZED VIEW cherax_live.\"By_Item\" AS SELECT item, customer, id FROM cherax_live.orders WHERE item "
    "IS NOT NULL AND "
    "customer IS NOT NULL AND id IS NOT NULL PRIMARY KEY (item, customer, id)",
};

class Live : public ::testing::Test {
 protected:
  Live() { drop(); }
  ~Live() override { drop(); }

  void drop() {
    connection_.execute_schema(fmt::format("DROP KEYSPACE IF EXISTS {}", kKeyspace), soon());
    wait_for_schema_agreement(connection_, system_clock(), soon());
  }

  /// What the node describes of our keyspace.
  Schema schema() {
    Schema schema = read_schema(connection_, soon()).schema;
    std::erase_if(schema.keyspaces, [](const Keyspace& keyspace) { return keyspace.name != kKeyspace; });
    return schema;
  }

  cql::Connection connection_ = connect();
};

TEST_F(Live, SchemaComesBackAsItWas) {
  for (const std::string& statement : kStatements) connection_.execute_schema(statement, soon());
  wait_for_schema_agreement(connection_, system_clock(), soon());
  const Schema before = schema();
  ASSERT_EQ(before.keyspaces.size(), 1u);
  drop();
  ASSERT_TRUE(schema().keyspaces.empty());

  auto statements = statements_before_data(before);
  EXPECT_EQ(statements.size(), 11u);  // a keyspace, two types, three functions, an aggregate, three tables, a view
  std::ranges::copy(statements_after_data(before), std::back_inserter(statements));
  for (const Statement& statement : statements) {
    EXPECT_EQ(apply(connection_, statement, system_clock(), soon()), Applied::created) << to_string(statement);
  }
  EXPECT_EQ(schema(), before);
  for (const Statement& statement : statements) {
    EXPECT_EQ(apply(connection_, statement, system_clock(), soon()), Applied::existed) << to_string(statement);
  }
  EXPECT_EQ(schema(), before);

  const Deadline deadline = soon();
  while (!built_views(connection_, soon()).contains({kKeyspace, "By_Item"}) ||
         !built_indexes(connection_, soon()).contains({kKeyspace, "Odd_Index"})) {
    ASSERT_FALSE(deadline.passed()) << "the view or the index is not built";
    system_clock().sleep_for(100ms, {});
  }
}

TEST_F(Live, TableThatLacksItsDroppedColumnsGetsThem) {
  for (const std::string& statement : kStatements) {
    if (statement.find("\"Odd_") == std::string::npos) connection_.execute_schema(statement, soon());
  }
  const Schema before = schema();
  drop();
  for (const Statement& statement : statements_before_data(before)) {
    if (statement.name == "orders") {
      Statement first = statement;
      first.parts.resize(1);
      apply(connection_, first, system_clock(), soon());
    }
    apply(connection_, statement, system_clock(), soon());
  }
  EXPECT_EQ(schema().keyspaces.at(0).tables.at(1).cql_create_self, before.keyspaces.at(0).tables.at(1).cql_create_self);
}

TEST_F(Live, AnotherDefinitionIsAlreadyThere) {
  connection_.execute_schema(kStatements[0], soon());
  connection_.execute_schema(kStatements[1], soon());
  Schema other = schema();
  connection_.execute_schema("ALTER TYPE cherax_live.z_inner ADD more int", soon());
  const auto statements = statements_before_data(other);
  EXPECT_EQ(apply(connection_, statements.at(0), system_clock(), soon()), Applied::existed);
  try {
    apply(connection_, statements.at(1), system_clock(), soon());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::already_exists) << error.message();
    EXPECT_NE(error.message().find("more int"), std::string::npos) << error.message();
  }
}

TEST_F(Live, NodeTellsWhoAndWhereItIs) {
  const RingInfo ring = read_ring(connection_, soon());
  EXPECT_EQ(ring.local.host_id.size(), 36u);
  EXPECT_FALSE(ring.local.tokens.empty());
  EXPECT_EQ(ring.local.schema_version, schema_version(connection_, soon()));
  const auto found = settings(
      connection_, {"data_file_directories", "commitlog_directory", "local_system_data_file_directory"}, soon());
  EXPECT_FALSE(parse_directory_list(found.at("data_file_directories")).empty());
  EXPECT_TRUE(found.contains("commitlog_directory"));
  queryable_sai_indexes(connection_, soon());  // also where the table does not exist
}

TEST_F(Live, StatementsThatCassandraRefusesKeepTheirWords) {
  try {
    connection_.query("SELECT * FROM cherax_live.nothing", soon());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid);
    EXPECT_NE(error.message().find("cherax_live"), std::string::npos);
  }
}

}  // namespace
}  // namespace cherax::cassandra
