#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

/// The words of CQL text, after Cassandra's own grammar (src/antlr/Lexer.g). Pure.
namespace cherax::cassandra::cql {

struct Token {
  enum class Kind {
    word,         ///< letters, digits, `_`: keywords, plain names, numbers
    quoted_name,  ///< "Mixed ""Case"""
    string,       ///< 'it''s' or $$it's$$
    symbol,       ///< any other single character
  };
  Kind kind = Kind::symbol;
  std::string_view text;  ///< as it stands in the source, quotes included

  /// The name or string without quotes; a word in lower case.
  std::string value() const;
  /// A word, in any case.
  bool is_word(std::string_view lower_case) const;
  bool is_symbol(char symbol) const { return kind == Kind::symbol && text[0] == symbol; }
};

/// All tokens; comments (`--`, `//`, `/* */`) and white space are passed over. A quote or comment that does not end is
/// Error{invalid}. The tokens view into `text`.
Result<std::vector<Token>> scan(std::string_view text);

/// Always with quotes: "name".
std::string quote_identifier(std::string_view name);
/// 'text'
std::string quote_string(std::string_view text);
/// `"MixedCase"` becomes MixedCase; what has no quotes stays as it is.
std::string unquote_identifier(std::string_view name);

}  // namespace cherax::cassandra::cql
