#include "cassandra/cql/lexer.h"

#include <algorithm>
#include <optional>

#include "base/ascii.h"

namespace cherax::cassandra::cql {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }
bool is_word_character(char c) {
  // Bytes of UTF-8 sequences too: they stand in no name that Cassandra accepts, and must not be torn apart.
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (c & 0x80) != 0;
}

/// `quote` stands at both ends and doubled inside.
std::string without_quotes(std::string_view text, char quote) {
  std::string value;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    value += text[i];
    if (text[i] == quote) ++i;
  }
  return value;
}

std::string with_quotes(std::string_view text, char quote) {
  std::string quoted{quote};
  for (char c : text) {
    quoted += c;
    if (c == quote) quoted += c;
  }
  return quoted += quote;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> run() {
    std::vector<Token> tokens;
    while (position_ < text_.size()) {
      const std::size_t start = position_;
      const auto kind = step();
      if (position_ == std::string_view::npos) {
        return make_error(ErrorKind::invalid, "CQL text: what starts with {} at byte {} does not end",
                          text_.substr(start, 2), start);
      }
      if (kind) tokens.push_back({*kind, text_.substr(start, position_ - start)});
    }
    return tokens;
  }

 private:
  /// Moves behind the next token, comment or blank; npos when its end is missing.
  std::optional<Token::Kind> step() {
    const std::string_view rest = text_.substr(position_);
    if (is_space(rest[0])) {
      ++position_;
      return std::nullopt;
    }
    if (rest.starts_with("--") || rest.starts_with("//")) {
      position_ = std::min(text_.find_first_of("\r\n", position_), text_.size());
      return std::nullopt;
    }
    if (rest.starts_with("/*")) {
      skip_to("*/", 2);
      return std::nullopt;
    }
    if (rest.starts_with("$$")) {
      skip_to("$$", 2);
      return Token::Kind::string;
    }
    if (rest[0] == '\'' || rest[0] == '"') {
      skip_quoted(rest[0]);
      return rest[0] == '"' ? Token::Kind::quoted_name : Token::Kind::string;
    }
    if (is_word_character(rest[0])) {
      while (position_ < text_.size() && is_word_character(text_[position_])) ++position_;
      return Token::Kind::word;
    }
    ++position_;
    return Token::Kind::symbol;
  }

  void skip_to(std::string_view end, std::size_t opening) {
    const std::size_t found = text_.find(end, position_ + opening);
    position_ = found == std::string_view::npos ? found : found + end.size();
  }

  void skip_quoted(char quote) {
    for (;;) {
      position_ = text_.find(quote, position_ + 1);
      if (position_ == std::string_view::npos) return;
      ++position_;
      if (position_ == text_.size() || text_[position_] != quote) return;
    }
  }

  std::string_view text_;
  std::size_t position_ = 0;
};

}  // namespace

std::string Token::value() const {
  switch (kind) {
    case Kind::quoted_name:
      return without_quotes(text, '"');
    case Kind::string:
      return text.starts_with("$$") ? std::string{text.substr(2, text.size() - 4)} : without_quotes(text, '\'');
    case Kind::word:
      return lower_case(text);
    case Kind::symbol:
      break;
  }
  return std::string{text};
}

bool Token::is_word(std::string_view lower_case) const { return kind == Kind::word && value() == lower_case; }

Result<std::vector<Token>> scan(std::string_view text) { return Scanner{text}.run(); }

std::string quote_identifier(std::string_view name) { return with_quotes(name, '"'); }
std::string quote_string(std::string_view text) { return with_quotes(text, '\''); }

std::string unquote_identifier(std::string_view name) {
  if (name.size() < 2 || name.front() != '"' || name.back() != '"') return std::string{name};
  return without_quotes(name, '"');
}

}  // namespace cherax::cassandra::cql
