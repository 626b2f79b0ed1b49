#include "cassandra/cql/lexer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace cherax::cassandra::cql {
namespace {

using Kind = Token::Kind;

std::vector<std::string> values(std::string_view text) {
  std::vector<std::string> found;
  for (const Token& token : scan(text).value()) found.push_back(token.value());
  return found;
}

TEST(Lexer, TellsWordsNamesStringsAndSymbolsApart) {
  const auto tokens = scan(R"(Select "A""b", 'it''s' FROM x.y_1;)").value();
  std::vector<Kind> kinds;
  for (const Token& token : tokens) kinds.push_back(token.kind);
  EXPECT_EQ(kinds, (std::vector{Kind::word, Kind::quoted_name, Kind::symbol, Kind::string, Kind::word, Kind::word,
                                Kind::symbol, Kind::word, Kind::symbol}));
  EXPECT_EQ(values(R"(Select "A""b", 'it''s')"), (std::vector<std::string>{"select", "A\"b", ",", "it's"}));
  EXPECT_TRUE(tokens[0].is_word("select"));
  EXPECT_FALSE(tokens[1].is_word("a\"b"));
}

TEST(Lexer, PassesOverComments) {
  EXPECT_EQ(values("a -- b ' ; \n c // d \" \r e /* ' $$ \n -- */ f --"),
            (std::vector<std::string>{"a", "c", "e", "f"}));
}

TEST(Lexer, CommentsDoNotStartInsideQuotes) {
  EXPECT_EQ(values("'--' \"//\" $$/*$$ 'x'"), (std::vector<std::string>{"--", "//", "/*", "x"}));
}

TEST(Lexer, DollarStringsEndAtTheNextDollars) {
  EXPECT_EQ(values("$$ it's; $ -- $$ b"), (std::vector<std::string>{" it's; $ -- ", "b"}));
  EXPECT_EQ(values("$$$$ b"), (std::vector<std::string>{"", "b"}));
}

TEST(Lexer, WhatDoesNotEndIsInvalid) {
  for (std::string_view text : {"'a", "\"a", "$$a", "/* a", "'a''", "$$a$", "/*/"}) {
    const auto tokens = scan(text);
    ASSERT_FALSE(tokens) << text;
    EXPECT_EQ(tokens.error().kind(), ErrorKind::invalid);
  }
}

RC_GTEST_PROP(Lexer, QuotedNamesAndStringsRoundTrip, (const std::string& text)) {
  RC_ASSERT(values(quote_identifier(text)) == std::vector{text});
  RC_ASSERT(values(quote_string(text)) == std::vector{text});
  RC_ASSERT(unquote_identifier(quote_identifier(text)) == text);
}

TEST(Lexer, UnquotingLeavesPlainNames) {
  EXPECT_EQ(unquote_identifier("shop"), "shop");
  EXPECT_EQ(unquote_identifier("\"MixedCase\""), "MixedCase");
}

}  // namespace
}  // namespace cherax::cassandra::cql
