#include "cassandra/statement_splitter.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace cherax::cassandra {
namespace {

using Statements = std::vector<std::string>;

TEST(StatementSplitter, SplitsAtSemicolonsOnly) {
  EXPECT_EQ(split_statements("CREATE TABLE a;\nALTER TABLE a DROP b;").value(),
            (Statements{"CREATE TABLE a", "ALTER TABLE a DROP b"}));
  EXPECT_EQ(split_statements("a;\n\nb").value(), (Statements{"a", "b"}));
}

TEST(StatementSplitter, SemicolonsInQuotesAndCommentsEndNothing) {
  for (std::string statement :
       {"a 'x;y'", "a \"x;y\"", "a $$ x; 'y'; $$ b", "a -- ;\n b", "a // ;\n b", "a /* ; */ b", "a 'it'';s'"}) {
    EXPECT_EQ(split_statements(statement + ";c").value(), (Statements{statement, "c"}));
  }
}

TEST(StatementSplitter, EmptyStatementsAndCommentsAreNone) {
  EXPECT_EQ(split_statements(" ; ;; -- nothing\n /* Warning: Table a.b omitted; */ ").value(), Statements{});
  EXPECT_EQ(split_statements("").value(), Statements{});
}

TEST(StatementSplitter, UnfinishedQuoteIsInvalid) {
  EXPECT_EQ(split_statements("a; 'b").error().kind(), ErrorKind::invalid);
}

/// Text of one statement: it begins and ends with a word, and holds whatever may hide a semicolon.
rc::Gen<std::string> statement() {
  const auto piece = rc::gen::element<std::string>(
      " word ", " 'it''s; fine' ", " \"Odd;\"\"Name\" ", " $$ return a; // 'x' $ $$ ", " -- comment; 'open\n",
      " // \"open;\n", " /* ; $$ ' */ ", " = {'a': 1} ", "\n", ",", "(", ")", "$", "-", "/", "*");
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(piece), [](const std::vector<std::string>& pieces) {
    std::string text = "CREATE ";
    for (const std::string& piece : pieces) {
      // Two lone characters must not become the start of a comment or string.
      text += piece;
      text += ' ';
    }
    return text + "END";
  });
}

RC_GTEST_PROP(StatementSplitter, GivesBackWhatWasJoined, ()) {
  const auto statements = *rc::gen::container<Statements>(statement());
  const auto separator = *rc::gen::element<std::string>(";", ";\n\n", " ; ;", ";-- x;y\n", ";/* ' ; */");
  std::string text;
  for (const std::string& one : statements) text += one + separator;
  RC_ASSERT(split_statements(text).value() == statements);
}

RC_GTEST_PROP(StatementSplitter, SplittingItsOwnPiecesChangesNothing, (const std::string& text)) {
  const auto statements = split_statements(text);
  if (!statements) return;
  for (const std::string& one : *statements) RC_ASSERT(split_statements(one).value() == Statements{one});
}

}  // namespace
}  // namespace cherax::cassandra
