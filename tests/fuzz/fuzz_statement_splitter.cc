// CQL text of a manifest: it is split, or refused as Error{invalid}; every statement is a piece of the text, stays one
// when it is split again, and equals itself as a definition.

#include <cstdint>
#include <cstdlib>

#include "cassandra/definition.h"
#include "cassandra/schema.h"
#include "cassandra/statement_splitter.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cherax;
  using namespace cherax::cassandra;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  table_id(text);
  const auto statements = split_statements(text);
  if (!statements) {
    if (statements.error().kind() != ErrorKind::invalid) std::abort();
    return 0;
  }
  for (const std::string& statement : *statements) {
    if (text.find(statement) == std::string_view::npos) std::abort();
    if (split_statements(statement).value() != std::vector{statement}) std::abort();
    if (!same_definition(statement, statement)) std::abort();
  }
  return 0;
}
