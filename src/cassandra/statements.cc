#include "cassandra/statements.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "cassandra/cql/lexer.h"
#include "cassandra/definition.h"
#include "cassandra/statement_splitter.h"
#include "cassandra/system_tables.h"

namespace cherax::cassandra {

namespace {

using Kind = Statement::Kind;

std::string_view word_of(Kind kind) {
  switch (kind) {
    case Kind::keyspace:
      return "keyspace";
    case Kind::type:
      return "type";
    case Kind::function:
      return "function";
    case Kind::aggregate:
      return "aggregate";
    case Kind::table:
      return "table";
    case Kind::index:
      return "index";
    case Kind::materialized_view:
      return "materialized view";
    case Kind::trigger:
      return "trigger";
  }
  return "object";
}

void add(std::vector<Statement>& statements, Statement statement) {
  auto parts = split_statements(statement.text);
  if (!parts) throw Error{ErrorKind::corrupt, parts.error().in_context(to_string(statement)).message()};
  if (parts->empty()) return;
  statement.parts = *std::move(parts);
  statements.push_back(std::move(statement));
}

std::string map_literal(const std::map<std::string, std::string>& map, std::string_view class_name = {}) {
  std::vector<std::string> entries;
  if (!class_name.empty()) entries.push_back("'class': " + cql::quote_string(class_name));
  for (const auto& [key, value] : map) entries.push_back(cql::quote_string(key) + ": " + cql::quote_string(value));
  return fmt::format("{{{}}}", fmt::join(entries, ", "));
}

std::string keyspace_statement(const Keyspace& keyspace) {
  if (keyspace.network_topology_strategy_dcs.empty()) return keyspace.cql_create_self;
  const std::string built = fmt::format(
      "CREATE KEYSPACE {} WITH replication = {} AND durable_writes = {};", cql::quote_identifier(keyspace.name),
      map_literal(keyspace.network_topology_strategy_dcs, "NetworkTopologyStrategy"), keyspace.durable_writes);
  // The server's own text may hold options of a later version: it stays where it says the same.
  return same_definition(keyspace.cql_create_self, built) ? keyspace.cql_create_self : built;
}

/// The other types that a type's fields name: `frozen<map<text, "Mixed">>` needs Mixed.
std::set<std::string> needs_of(const UserType& type, const std::set<std::string>& all) {
  std::set<std::string> needs;
  for (const std::string& field : type.field_types) {
    const auto tokens = cql::scan(field);
    if (!tokens) fail(ErrorKind::corrupt, "type {} has a field of type {}", type.name, field);
    for (const cql::Token& token : *tokens) {
      if (std::string name = token.value(); name != type.name && all.contains(name)) needs.insert(std::move(name));
    }
  }
  return needs;
}

/// Keeps the order where it can.
std::vector<const UserType*> in_dependency_order(const std::vector<UserType>& types) {
  std::set<std::string> all;
  for (const UserType& type : types) all.insert(type.name);
  std::vector<std::pair<const UserType*, std::set<std::string>>> waiting;
  for (const UserType& type : types) waiting.emplace_back(&type, needs_of(type, all));

  std::vector<const UserType*> ordered;
  std::set<std::string> created;
  while (!waiting.empty()) {
    const std::size_t before = waiting.size();
    std::erase_if(waiting, [&](const auto& entry) {
      if (!std::ranges::includes(created, entry.second)) return false;
      ordered.push_back(entry.first);
      created.insert(entry.first->name);
      return true;
    });
    if (waiting.size() == before) {
      fail(ErrorKind::corrupt, "the user types need each other in a circle, type {} among them",
           waiting.front().first->name);
    }
  }
  return ordered;
}

std::string qualified(const std::string& keyspace, const std::string& name) {
  return cql::quote_identifier(keyspace) + "." + cql::quote_identifier(name);
}

std::string describe_statement(const Statement& statement) {
  const std::string name = qualified(statement.keyspace, statement.name);
  switch (statement.kind) {
    case Kind::keyspace:
      return "DESCRIBE ONLY KEYSPACE " + cql::quote_identifier(statement.name) + " WITH INTERNALS";
    case Kind::type:
      return "DESCRIBE TYPE " + name + " WITH INTERNALS";
    case Kind::function:
      return "DESCRIBE FUNCTION " + name + " WITH INTERNALS";
    case Kind::aggregate:
      return "DESCRIBE AGGREGATE " + name + " WITH INTERNALS";
    case Kind::table:
      return "DESCRIBE TABLE " + name + " WITH INTERNALS";
    case Kind::index:
      return "DESCRIBE INDEX " + name + " WITH INTERNALS";
    case Kind::materialized_view:
      return "DESCRIBE MATERIALIZED VIEW " + name + " WITH INTERNALS";
    case Kind::trigger:
      break;
  }
  fail(ErrorKind::internal, "DESCRIBE knows no {}", word_of(statement.kind));
}

std::optional<std::string> describe_trigger(cql::Connection& connection, const Statement& statement,
                                            Deadline deadline) {
  const auto rows = connection.query(fmt::format("SELECT options FROM system_schema.triggers WHERE keyspace_name = {} "
                                                 "AND table_name = {} AND trigger_name = {}",
                                                 cql::quote_string(statement.keyspace),
                                                 cql::quote_string(statement.table), cql::quote_string(statement.name)),
                                     deadline);
  if (rows.empty()) return std::nullopt;
  const auto options = rows[0].get_or_empty<std::map<std::string, std::string>>("options");
  const auto class_name = options.find("class");
  return fmt::format("CREATE TRIGGER {} ON {} USING {};", cql::quote_identifier(statement.name),
                     qualified(statement.keyspace, statement.table),
                     cql::quote_string(class_name == options.end() ? "" : class_name->second));
}

/// CQL has an error code for tables and keyspaces only; for the rest the words have to do.
bool says_already_exists(const Error& error) {
  return error.kind() == ErrorKind::already_exists ||
         (error.kind() == ErrorKind::invalid && error.message().find("already exists") != std::string::npos);
}

/// The parts of `statement` that the existing definition lacks: none when it is the same, some of the later ones when
/// the run before was cut off after the first (dropped columns).
std::vector<std::string> missing_parts(const Statement& statement, const std::string& existing) {
  const auto there = split_statements(existing).value();
  const auto holds = [](const std::vector<std::string>& parts, const std::string& part) {
    return std::ranges::any_of(parts, [&](const std::string& one) { return same_definition(one, part); });
  };
  const bool has_first = !there.empty() && same_definition(there.front(), statement.parts.front());
  if (!has_first || !std::ranges::all_of(there, [&](const auto& part) { return holds(statement.parts, part); })) {
    fail(ErrorKind::already_exists, "another {} is there already.\nWanted: {}\nFound: {}", to_string(statement),
         statement.text, existing);
  }
  std::vector<std::string> missing;
  std::ranges::copy_if(statement.parts, std::back_inserter(missing),
                       [&](const auto& part) { return !holds(there, part); });
  return missing;
}

}  // namespace

std::string to_string(const Statement& statement) {
  std::string text{word_of(statement.kind)};
  text += ' ' + statement.keyspace;
  if (statement.kind == Kind::keyspace) return text;
  text += '.' + statement.name;
  if (statement.kind == Kind::function || statement.kind == Kind::aggregate) {
    text += fmt::format("({})", fmt::join(statement.argument_types, ", "));
  }
  if (!statement.table.empty()) text += " of table " + statement.table;
  return text;
}

std::vector<Statement> statements_before_data(const Schema& schema) {
  std::vector<Statement> statements;
  for (const Keyspace& keyspace : schema.keyspaces) {
    if (is_system_keyspace(keyspace.name)) continue;
    add(statements, {Kind::keyspace, keyspace.name, keyspace.name, {}, {}, keyspace_statement(keyspace), {}});
    for (const UserType* type : in_dependency_order(keyspace.user_types)) {
      add(statements, {Kind::type, keyspace.name, type->name, {}, {}, type->cql_create_self, {}});
    }
    for (const Function& function : keyspace.functions) {
      add(statements,
          {Kind::function, keyspace.name, function.name, {}, function.argument_types, function.cql_create_self, {}});
    }
    for (const Aggregate& aggregate : keyspace.aggregates) {
      add(statements, {Kind::aggregate,
                       keyspace.name,
                       aggregate.name,
                       {},
                       aggregate.argument_types,
                       aggregate.cql_create_self,
                       {}});
    }
    for (const Table& table : keyspace.tables) {
      add(statements, {Kind::table, keyspace.name, table.name, {}, {}, table.cql_create_self, {}});
    }
    for (const Table& table : keyspace.tables) {
      for (const MaterializedView& view : table.materialized_views) {
        add(statements, {Kind::materialized_view, keyspace.name, view.name, table.name, {}, view.cql_create_self, {}});
      }
    }
  }
  return statements;
}

std::vector<Statement> statements_after_data(const Schema& schema) {
  std::vector<Statement> statements;
  for (const Keyspace& keyspace : schema.keyspaces) {
    if (is_system_keyspace(keyspace.name)) continue;
    for (const Table& table : keyspace.tables) {
      for (const Index& index : table.indexes) {
        add(statements, {Kind::index, keyspace.name, index.name, table.name, {}, index.cql_create_self, {}});
      }
      for (const Trigger& trigger : table.triggers) {
        add(statements, {Kind::trigger, keyspace.name, trigger.name, table.name, {}, trigger.cql_create_self, {}});
      }
    }
  }
  return statements;
}

std::string alter_replication(const SystemKeyspace& keyspace) {
  return fmt::format("ALTER KEYSPACE {} WITH replication = {}", cql::quote_identifier(keyspace.name),
                     map_literal(keyspace.replication));
}

std::optional<std::string> describe(cql::Connection& connection, const Statement& statement, Deadline deadline) {
  if (statement.kind == Kind::trigger) return describe_trigger(connection, statement, deadline);
  cql::Rows rows;
  try {
    rows = connection.query(describe_statement(statement), deadline);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::invalid && error.message().find("not found") != std::string::npos)
      return std::nullopt;
    throw;
  }
  const bool is_overloaded = statement.kind == Kind::function || statement.kind == Kind::aggregate;
  const std::string arguments = fmt::format("({})", fmt::join(statement.argument_types, ", "));
  for (const cql::Row row : rows) {
    // DESCRIBE TABLE gives the table's indexes and views as well, DESCRIBE FUNCTION every function of that name.
    const auto type = row.get<std::string>("type");
    const bool is_kind =
        type == (statement.kind == Kind::materialized_view ? "materialized_view" : word_of(statement.kind));
    if (is_kind && (!is_overloaded || row.get<std::string>("name").ends_with(arguments))) {
      return row.get<std::string>("create_statement");
    }
  }
  return std::nullopt;
}

Applied apply(cql::Connection& connection, const Statement& statement, Clock& clock, Deadline deadline,
              std::stop_token stop) {
  return in_context(fmt::format("creating {}", to_string(statement)), [&] {
    std::vector<std::string> parts = statement.parts;
    Applied applied = Applied::created;
    try {
      connection.execute_schema(parts.front(), deadline);
      parts.erase(parts.begin());
    } catch (const Error& error) {
      if (!says_already_exists(error)) throw;
      const auto existing = describe(connection, statement, deadline);
      if (!existing) throw;
      parts = missing_parts(statement, *existing);
      applied = Applied::existed;
    }
    wait_for_schema_agreement(connection, clock, deadline, stop);
    for (const std::string& part : parts) {
      connection.execute_schema(part, deadline);
      wait_for_schema_agreement(connection, clock, deadline, stop);
    }
    return applied;
  });
}

void wait_for_schema_agreement(cql::Connection& connection, Clock& clock, Deadline deadline, std::stop_token stop) {
  constexpr std::chrono::milliseconds kPause{100};
  for (;;) {
    const auto versions = schema_versions(connection, deadline);
    if (versions.size() == 1 && !versions.begin()->first.empty()) return;
    if (clock.steady() + kPause >= deadline.time()) {
      std::vector<std::string> shown;
      for (const auto& [version, addresses] : versions) {
        shown.push_back(fmt::format("{}: {}", version.empty() ? "unknown" : version, fmt::join(addresses, ", ")));
      }
      fail(ErrorKind::transient, "the nodes do not agree on the schema ({})", fmt::join(shown, "; "));
    }
    if (!clock.sleep_for(kPause, stop)) fail(ErrorKind::cancelled, "cancelled while waiting for schema agreement");
  }
}

}  // namespace cherax::cassandra
