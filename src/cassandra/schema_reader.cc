#include "cassandra/schema_reader.h"

#include <algorithm>

#include "cassandra/cql/lexer.h"
#include "cassandra/system_tables.h"

namespace cherax::cassandra {

namespace {

using Names = std::pair<std::string, std::string>;
using Replication = std::map<std::string, std::string>;

/// `name(int, map<text, int>)` as DESCRIBE names a function.
struct Signature {
  std::string name;
  std::vector<std::string> argument_types;
};

Signature parse_signature(std::string_view text) {
  const std::size_t open = text.starts_with('"') ? text.find('(', text.find('"', 1)) : text.find('(');
  if (open == std::string_view::npos || !text.ends_with(')')) {
    fail(ErrorKind::corrupt, "DESCRIBE names a function \"{}\" without its arguments", text);
  }
  Signature signature{cql::unquote_identifier(text.substr(0, open)), {}};
  std::string argument;
  int depth = 0;
  const auto finish = [&] {
    if (!argument.empty()) signature.argument_types.push_back(std::exchange(argument, {}));
  };
  for (char c : text.substr(open + 1, text.size() - open - 2)) {
    if (c == '<' || c == '(') ++depth;
    if (c == '>' || c == ')') --depth;
    if (c == ',' && depth == 0)
      finish();
    else if (c != ' ' || !argument.empty())
      argument += c;
  }
  finish();
  return signature;
}

/// `org.apache.cassandra.locator.NetworkTopologyStrategy` → `NetworkTopologyStrategy`
std::string_view short_class(std::string_view name) { return name.substr(name.rfind('.') + 1); }

std::map<Names, std::string> tables_of(const cql::Rows& rows, std::string_view name_column,
                                       std::string_view table_column) {
  std::map<Names, std::string> tables;
  for (const cql::Row row : rows) {
    tables[{row.get<std::string>("keyspace_name"), row.get<std::string>(name_column)}] =
        row.get<std::string>(table_column);
  }
  return tables;
}

class Builder {
 public:
  explicit Builder(const SchemaRows& rows)
      : rows_(rows),
        table_of_index_(tables_of(rows.indexes, "index_name", "table_name")),
        table_of_view_(tables_of(rows.views, "view_name", "base_table_name")) {
    for (const cql::Row row : rows.types) {
      field_types_[{row.get<std::string>("keyspace_name"), row.get<std::string>("type_name")}] =
          row.get_or_empty<std::vector<std::string>>("field_types");
    }
  }

  Schema build() && {
    for (const cql::Row row : rows_.describe) add(row);
    for (const cql::Row row : rows_.triggers) add_trigger(row);
    return std::move(schema_);
  }

 private:
  void add(const cql::Row& row) {
    const auto keyspace_name = cql::unquote_identifier(row.get<std::string>("keyspace_name"));
    if (is_system_keyspace(keyspace_name)) return;
    const auto type = row.get<std::string>("type");
    const auto described_name = row.get<std::string>("name");
    const auto name = cql::unquote_identifier(described_name);
    auto statement = row.get<std::string>("create_statement");

    if (type == "keyspace") return add_keyspace(name, std::move(statement));
    Keyspace& keyspace = this->keyspace(keyspace_name);
    if (type == "type") {
      keyspace.user_types.push_back({name, std::move(statement), find(field_types_, keyspace_name, name, "type")});
    } else if (type == "function") {
      auto [plain_name, arguments] = parse_signature(described_name);
      keyspace.functions.push_back({std::move(plain_name), std::move(statement), std::move(arguments)});
    } else if (type == "aggregate") {
      auto [plain_name, arguments] = parse_signature(described_name);
      keyspace.aggregates.push_back({std::move(plain_name), std::move(statement), std::move(arguments)});
    } else if (type == "table") {
      keyspace.tables.push_back({name, std::move(statement), {}, {}, {}});
    } else if (type == "index") {
      table(keyspace, find(table_of_index_, keyspace_name, name, "index"))
          .indexes.push_back({name, std::move(statement)});
    } else if (type == "materialized_view") {
      table(keyspace, find(table_of_view_, keyspace_name, name, "view"))
          .materialized_views.push_back({name, std::move(statement)});
    } else {
      // Leaving out what this version does not know would make a backup that looks whole.
      fail(ErrorKind::invalid, "DESCRIBE gives a {} ({}.{}), which this version of Cherax does not know", type,
           keyspace_name, name);
    }
  }

  void add_keyspace(const std::string& name, std::string statement) {
    Keyspace keyspace{name, std::move(statement), true, {}, {}, {}, {}, {}};
    for (const cql::Row row : rows_.keyspaces) {
      if (row.get<std::string>("keyspace_name") != name) continue;
      keyspace.durable_writes = row.get<bool>("durable_writes");
      auto replication = row.get_or_empty<Replication>("replication");
      if (short_class(replication["class"]) == "NetworkTopologyStrategy") {
        replication.erase("class");
        keyspace.network_topology_strategy_dcs = std::move(replication);
      }
    }
    schema_.keyspaces.push_back(std::move(keyspace));
  }

  void add_trigger(const cql::Row& row) {
    const auto keyspace_name = row.get<std::string>("keyspace_name");
    const auto table_name = row.get<std::string>("table_name");
    const auto name = row.get<std::string>("trigger_name");
    if (is_system_keyspace(keyspace_name)) return;
    const auto options = row.get_or_empty<std::map<std::string, std::string>>("options");
    const auto class_name = options.find("class");
    if (class_name == options.end())
      fail(ErrorKind::corrupt, "trigger {} of {}.{} has no class", name, keyspace_name, table_name);
    table(keyspace(keyspace_name), table_name)
        .triggers.push_back({name, fmt::format("CREATE TRIGGER {} ON {}.{} USING {};", cql::quote_identifier(name),
                                               cql::quote_identifier(keyspace_name), cql::quote_identifier(table_name),
                                               cql::quote_string(class_name->second))});
  }

  Keyspace& keyspace(const std::string& name) {
    const auto found = std::ranges::find(schema_.keyspaces, name, &Keyspace::name);
    if (found == schema_.keyspaces.end())
      fail(ErrorKind::corrupt, "DESCRIBE gives a part of keyspace {}, but not the keyspace", name);
    return *found;
  }

  Table& table(Keyspace& keyspace, const std::string& name) {
    const auto found = std::ranges::find(keyspace.tables, name, &Table::name);
    if (found == keyspace.tables.end())
      fail(ErrorKind::corrupt, "DESCRIBE gives a part of table {}.{}, but not the table", keyspace.name, name);
    return *found;
  }

  template <class Value>
  static const Value& find(const std::map<Names, Value>& map, const std::string& keyspace, const std::string& name,
                           std::string_view what) {
    const auto found = map.find({keyspace, name});
    if (found == map.end())
      fail(ErrorKind::corrupt, "DESCRIBE gives {} {}.{}, which system_schema does not hold", what, keyspace, name);
    return found->second;
  }

  const SchemaRows& rows_;
  std::map<Names, std::string> table_of_index_;
  std::map<Names, std::string> table_of_view_;
  std::map<Names, std::vector<std::string>> field_types_;
  Schema schema_;
};

}  // namespace

Schema schema_from(const SchemaRows& rows) { return Builder{rows}.build(); }

std::vector<SystemKeyspace> system_keyspaces_from(const cql::Rows& keyspaces) {
  std::vector<SystemKeyspace> found;
  for (const cql::Row row : keyspaces) {
    const auto name = row.get<std::string>("keyspace_name");
    if (is_replicated_system_keyspace(name)) found.push_back({name, row.get_or_empty<Replication>("replication")});
  }
  std::ranges::sort(found, {}, &SystemKeyspace::name);
  return found;
}

SchemaReading read_schema(cql::Connection& connection, Deadline deadline) {
  const std::string version = schema_version(connection, deadline);
  const auto changed = [&] { return schema_version(connection, deadline) != version; };
  try {
    const SchemaRows rows{
        connection.query("DESCRIBE SCHEMA WITH INTERNALS", deadline),
        connection.query("SELECT keyspace_name, durable_writes, replication FROM system_schema.keyspaces", deadline),
        connection.query("SELECT keyspace_name, type_name, field_types FROM system_schema.types", deadline),
        connection.query("SELECT keyspace_name, table_name, index_name FROM system_schema.indexes", deadline),
        connection.query("SELECT keyspace_name, view_name, base_table_name FROM system_schema.views", deadline),
        connection.query("SELECT keyspace_name, table_name, trigger_name, options FROM system_schema.triggers",
                         deadline),
    };
    SchemaReading reading{version, schema_from(rows), system_keyspaces_from(rows.keyspaces)};
    if (!changed()) return reading;
  } catch (const Error& error) {
    // A change between two pages, or between DESCRIBE and system_schema, shows as an error of its own.
    if (error.kind() == ErrorKind::transient || !changed()) throw;
  }
  fail(ErrorKind::transient, "the schema changed while it was read from {}", connection.peer());
}

}  // namespace cherax::cassandra
