#include "cassandra/definition.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "cassandra/cql/lexer.h"
#include "cassandra/statement_splitter.h"

namespace cherax::cassandra {

namespace {

using Words = std::vector<std::string>;

struct Definition {
  Words body;                            ///< up to WITH
  std::map<std::string, Words> options;  ///< by the words before `=`, or all words of one without
};

/// Told apart where quotes matter: 'a' is no name, "(" is no parenthesis; "a" and a are the same.
std::string normal(const cql::Token& token) {
  const std::string value = token.value();
  if (token.kind == cql::Token::Kind::string) return cql::quote_string(value);
  const bool is_plain = value.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
  return token.kind == cql::Token::Kind::quoted_name && !is_plain ? cql::quote_identifier(value) : value;
}

/// The columns of a table in order of their names: where a dropped one is written depends on whether it is dropped yet.
void sort_columns(Words& body) {
  if (body.size() < 2 || body[0] != "create" || body[1] != "table") return;
  const auto open = std::ranges::find(body, "(");
  std::vector<Words> columns(1);
  auto word = open;
  for (int depth = 0; word != body.end(); ++word) {
    if (*word == "(" || *word == "<") ++depth;
    if (*word == ")" || *word == ">") --depth;
    if (depth == 0) break;
    if (word == open) continue;
    if (depth == 1 && *word == ",")
      columns.emplace_back();
    else
      columns.back().push_back(*word);
  }
  if (word == body.end()) return;
  std::ranges::sort(columns);
  Words sorted(body.begin(), open + 1);
  for (Words& column : columns) {
    std::ranges::move(column, std::back_inserter(sorted));
    sorted.emplace_back(",");
  }
  sorted.insert(sorted.end(), word, body.end());
  body = std::move(sorted);
}

void add_option(Definition& definition, const Words& words) {
  std::string name;
  std::size_t i = 0;
  for (; i < words.size() && words[i] != "="; ++i) name += (i > 0 ? " " : "") + words[i];
  // `CLUSTERING ORDER BY (…)` has no '=': its name is what stands before the parenthesis.
  if (i == words.size()) {
    const std::size_t parenthesis = name.find(" (");
    definition.options[name.substr(0, parenthesis)] = words;
    return;
  }
  definition.options[name] = Words(words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
}

Definition read_definition(const std::vector<cql::Token>& tokens) {
  Definition definition;
  Words option;
  int depth = 0;
  bool in_options = false;
  for (const cql::Token& token : tokens) {
    if (token.is_symbol('(') || token.is_symbol('{') || token.is_symbol('[')) ++depth;
    if (token.is_symbol(')') || token.is_symbol('}') || token.is_symbol(']')) --depth;
    if (!in_options && depth == 0 && token.is_word("with")) {
      in_options = true;
    } else if (!in_options) {
      definition.body.push_back(normal(token));
    } else if (depth == 0 && token.is_word("and")) {
      add_option(definition, std::exchange(option, {}));
    } else {
      option.push_back(normal(token));
    }
  }
  if (!option.empty()) add_option(definition, option);
  sort_columns(definition.body);
  return definition;
}

bool same_statement(std::string_view one, std::string_view other) {
  const auto one_tokens = cql::scan(one);
  const auto other_tokens = cql::scan(other);
  if (!one_tokens || !other_tokens) return false;
  const Definition a = read_definition(*one_tokens);
  const Definition b = read_definition(*other_tokens);
  if (a.body != b.body) return false;
  for (const auto& [name, value] : a.options) {
    const auto found = b.options.find(name);
    if (found != b.options.end() && found->second != value) return false;
  }
  return true;
}

}  // namespace

bool same_definition(std::string_view one, std::string_view other) {
  const auto ones = split_statements(one);
  const auto others = split_statements(other);
  if (!ones || !others || ones->empty() || ones->size() != others->size()) return false;
  for (std::size_t i = 0; i < ones->size(); ++i) {
    if (!same_statement((*ones)[i], (*others)[i])) return false;
  }
  return true;
}

}  // namespace cherax::cassandra
