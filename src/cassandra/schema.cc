#include "cassandra/schema.h"

#include <algorithm>
#include <array>

#include "cassandra/cql/lexer.h"

namespace cherax::cassandra {

namespace {

constexpr std::array<std::string_view, 3> kReplicatedSystemKeyspaces{"system_auth", "system_distributed",
                                                                     "system_traces"};
constexpr std::array<std::string_view, 5> kLocalSystemKeyspaces{"system", "system_schema", "system_views",
                                                                "system_virtual_schema", "system_cluster_metadata"};

std::vector<cql::Token> tokens_of(std::string_view text) {
  auto tokens = cql::scan(text);
  return tokens ? *std::move(tokens) : std::vector<cql::Token>{};
}

}  // namespace

bool is_replicated_system_keyspace(std::string_view name) {
  return std::ranges::find(kReplicatedSystemKeyspaces, name) != kReplicatedSystemKeyspaces.end();
}

bool is_system_keyspace(std::string_view name) {
  return is_replicated_system_keyspace(name) ||
         std::ranges::find(kLocalSystemKeyspaces, name) != kLocalSystemKeyspaces.end();
}

std::optional<std::string> table_id(std::string_view create_statement) {
  const auto tokens = tokens_of(create_statement);
  for (std::size_t i = 0; i + 3 < tokens.size(); ++i) {
    const bool begins_option = tokens[i].is_word("with") || tokens[i].is_word("and");
    if (!begins_option || !tokens[i + 1].is_word("id") || !tokens[i + 2].is_symbol('=')) continue;
    // A UUID is five words with '-' between them.
    const char* begin = tokens[i + 3].text.data();
    constexpr std::size_t kUuidSize = 36;
    const auto left = static_cast<std::size_t>(create_statement.data() + create_statement.size() - begin);
    if (left >= kUuidSize) return std::string{begin, kUuidSize};
  }
  return std::nullopt;
}

std::vector<std::string> tables_without_statement(const Schema& schema) {
  std::vector<std::string> names;
  for (const Keyspace& keyspace : schema.keyspaces) {
    for (const Table& table : keyspace.tables) {
      if (tokens_of(table.cql_create_self).empty()) names.push_back(keyspace.name + "." + table.name);
    }
  }
  return names;
}

}  // namespace cherax::cassandra
