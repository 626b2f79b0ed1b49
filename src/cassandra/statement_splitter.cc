#include "cassandra/statement_splitter.h"

#include "cassandra/cql/lexer.h"

namespace cherax::cassandra {

Result<std::vector<std::string>> split_statements(std::string_view text) {
  const auto tokens = cql::scan(text);
  if (!tokens) return tokens.error();
  std::vector<std::string> statements;
  const char* begin = nullptr;
  const char* end = nullptr;
  const auto finish = [&] {
    if (begin) statements.emplace_back(begin, end);
    begin = nullptr;
  };
  for (const cql::Token& token : *tokens) {
    if (token.is_symbol(';')) {
      finish();
      continue;
    }
    if (!begin) begin = token.text.data();
    end = token.text.data() + token.text.size();
  }
  finish();
  return statements;
}

}  // namespace cherax::cassandra
