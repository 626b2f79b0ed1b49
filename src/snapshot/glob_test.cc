#include "snapshot/glob.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "snapshot/relative_path.h"

namespace cherax::snapshot {
namespace {

struct Case {
  std::string pattern;
  std::vector<std::string> matching;
  std::vector<std::string> other;
};

// What Python's wcmatch 12.0.1 answers for the same pattern and path under GLOBSTAR.
const std::vector<Case> kCases{
    {"*", {"a", "a.db"}, {".a", "a/b"}},
    {"**", {"a", "a/b/c"}, {".a", "a/.b", ".a/b"}},
    {"**/*", {"a", "a/b/c"}, {".a", "a/.b", ".a/b"}},
    {"**/*.db", {"x.db", "a/x.db", "a/b/x.db"}, {"x.txt", ".x.db", ".a/x.db", "a/x.db/y"}},
    {"a/**", {"a/x", "a/x/y"}, {"a", "b/x", "a/.x"}},
    {"a/**/b", {"a/b", "a/x/b", "a/x/y/b"}, {"a/.x/b", "ab", "a/xb"}},
    {"a**", {"a", "ab"}, {"a/b"}},
    {"**a", {"a", "ba"}, {"b/a", ".a"}},
    {"**/.x", {".x", "a/.x", "a/b/.x"}, {".a/.x", "x"}},
    {"**/.x/**", {".x/a", "b/.x/a"}, {"b/.x/.a", "b/.x"}},
    {".*", {".a", "..a"}, {"a"}},
    {"?", {"a", "é"}, {"ab", ".", "/"}},
    {"a?b", {"axb", "aéb", "a.b"}, {"ab", "a/b"}},
    {"?x", {"ax"}, {".x"}},
    {"[.]x", {}, {".x", "ax"}},
    {"[!a]b", {"xb"}, {"ab", ".b"}},
    {"[^a]b", {"xb"}, {"ab", ".b"}},
    {"x[!a]", {"x.", "xb"}, {"xa", "x"}},
    {"[a-c]", {"a", "b", "c"}, {"d", "-", "A"}},
    {"[a-c-e]", {"a", "c", "-", "e"}, {"d"}},
    {"[]a]", {"]", "a"}, {"b"}},
    {"[!]a]", {"b"}, {"]", "a"}},
    {"[a", {"[a"}, {"a"}},
    {"[]", {"[]"}, {}},
    {"[c-a]", {}, {"a", "b", "c"}},
    {"[!c-a]", {"a", "b"}, {}},
    {"[\\]]", {"]"}, {"\\"}},
    {"[a\\-c]", {"a", "-", "c"}, {"b"}},
    {"[[:digit:]_]", {"7", "_"}, {"x", ":"}},
    {"[[:nope:]]", {":]", "n]"}, {"n"}},
    {"[a/b]", {"[a/b]"}, {"a", "b"}},
    {"[é-ü]", {"é", "ö"}, {"e"}},
    {"\\*", {"*"}, {"a", "\\*"}},
    {"\\.x", {".x"}, {"x"}},
    {"a\\/b", {"a/b"}, {}},
    {"a\\", {"a"}, {"a\\"}},
    {"a//b", {"a/b"}, {}},
    {"a/b/", {}, {"a/b"}},
    {"/a", {}, {"a"}},
    {"./a", {}, {"a"}},
    {"", {}, {"a"}},
    {"***", {"a"}, {"a/b"}},
    {"{a,b}", {"{a,b}"}, {"a"}},
    {"@(a)", {"@(a)"}, {"a"}},
    {"!a", {"!a"}, {"b"}},
    {"A*", {"Ab"}, {"ab"}},
    {"data/*/*/snapshots/astacus-backup/*.db",
     {"data/ks/t-1/snapshots/astacus-backup/nb-1-big-Data.db"},
     {"data/ks/t-1/snapshots/other/nb-1-big-Data.db", "data/ks/t-1/nb-1-big-Data.db",
      "data/ks/t-1/snapshots/astacus-backup/.i/nb-1-big-Data.db"}},
    {"data/*/*/snapshots/astacus-backup/.*/*",
     {"data/ks/t-1/snapshots/astacus-backup/.i/nb-1-big-Data.db"},
     {"data/ks/t-1/snapshots/astacus-backup/nb-1-big-Data.db"}},
    {"*a*b*c", {"abc", "xaxbxc", "aabbc"}, {"abcx", "acb"}},
};

TEST(Glob, MatchesWhatWcmatchMatches) {
  for (const auto& [pattern, matching, other] : kCases) {
    const Glob glob{pattern};
    for (const auto& path : matching) EXPECT_TRUE(glob.matches(path)) << pattern << " and " << path;
    for (const auto& path : other) EXPECT_FALSE(glob.matches(path)) << pattern << " and " << path;
  }
}

TEST(Glob, EntersOnlyDirectoriesThatCanHoldAMatch) {
  const Glob glob{"data/*/snapshots/**/x.db"};
  for (const auto* directory : {"", "data", "data/ks", "data/ks/snapshots", "data/ks/snapshots/a/b"}) {
    EXPECT_TRUE(glob.may_match_below(directory)) << directory;
  }
  for (const auto* directory : {"other", ".data", "data/.ks", "data/ks/backups", "data/ks/snapshots/.a"}) {
    EXPECT_FALSE(glob.may_match_below(directory)) << directory;
  }
  EXPECT_FALSE(Glob{"*.db"}.may_match_below("a"));
  EXPECT_FALSE(Glob{"/a/**"}.may_match_below(""));
}

TEST(Glob, TakesAByteThatIsNotUtf8ForOneCharacter) {
  EXPECT_TRUE(
      Glob{"a?b"}.matches("a\xff"
                          "b"));
  EXPECT_TRUE(Glob{"*"}.matches("\xc3"));
  EXPECT_FALSE(Glob{"??"}.matches("\xc3\xa9"));
}

TEST(Glob, IsNotSlowOnManyStars) {
  std::string pattern;
  for (int i = 0; i < 30; ++i) pattern += "*a";
  std::string directories;
  for (int i = 0; i < 30; ++i) directories += "**/a/";
  EXPECT_FALSE(Glob{pattern + "b"}.matches(std::string(250, 'a')));
  std::string path;
  for (int i = 0; i < 1000; ++i) path += "a/";
  EXPECT_FALSE(Glob{directories + "b"}.matches(path + "a"));
}

rc::Gen<std::string> text_of(const std::vector<std::string>& pieces, int longest) {
  return rc::gen::map(rc::gen::mapcat(rc::gen::inRange(1, longest + 1),
                                      [pieces](int count) {
                                        return rc::gen::container<std::vector<std::string>>(
                                            static_cast<std::size_t>(count), rc::gen::elementOf(pieces));
                                      }),
                      [](const std::vector<std::string>& parts) {
                        std::string text;
                        for (const auto& part : parts) text += part;
                        return text;
                      });
}

const std::vector<std::string> kPatternPieces{"a", "b",   ".",    "*",    "?", "**", "/",
                                              "/", "**/", "[ab]", "[!a]", "[", "\\", "é"};
const std::vector<std::string> kPathPieces{"a", "b", ".", "/", "ab", "é", "["};

RC_GTEST_PROP(Glob, EntersEveryDirectoryAboveAMatch, ()) {
  const Glob glob{*text_of(kPatternPieces, 7)};
  const auto path = *text_of(kPathPieces, 7);
  if (!check_relative_path(path) || !glob.matches(path)) return;
  for (auto directory = parent_of(path);; directory = parent_of(directory)) {
    RC_ASSERT(glob.may_match_below(directory));
    if (directory.empty()) break;
  }
}

RC_GTEST_PROP(Glob, MatchesOnlyThePathItselfWhenEverythingIsEscaped, ()) {
  const auto path = *rc::gen::suchThat(text_of({"a", "*", "?", "[a]", "!", "\\", ".x", "/", "é", "**"}, 6),
                                       [](const std::string& text) { return check_relative_path(text).has_value(); });
  std::string pattern;
  for (const char c : path) {
    if (c == '*' || c == '?' || c == '[' || c == '\\') pattern += '\\';
    pattern += c;
  }
  RC_ASSERT(Glob{pattern}.matches(path));
  RC_ASSERT(!Glob{pattern}.matches(path + "a"));
  RC_ASSERT(!Glob{pattern}.matches("a" + path));
}

RC_GTEST_PROP(Glob, TwoStarsMatchExactlyThePathsWithoutAHiddenSegment, ()) {
  const auto path = *rc::gen::suchThat(text_of(kPathPieces, 8),
                                       [](const std::string& text) { return check_relative_path(text).has_value(); });
  const bool hidden = path.starts_with('.') || path.find("/.") != std::string::npos;
  RC_ASSERT(Glob{"**"}.matches(path) == !hidden);
  RC_ASSERT(Glob{"**/*"}.matches(path) == !hidden);
}

}  // namespace
}  // namespace cherax::snapshot
