#include "snapshot/relative_path.h"

#include <gtest/gtest.h>

namespace cherax::snapshot {
namespace {

using namespace std::string_view_literals;

TEST(RelativePath, RefusesWhatCouldLeaveTheRoot) {
  for (const auto path : {""sv, "/"sv, "/etc/passwd"sv, ".."sv, "../a"sv, "a/.."sv, "a/../b"sv, "."sv, "./a"sv,
                          "a/./b"sv, "a//b"sv, "a/"sv, "a\0b"sv, "\xff"sv, "a/\xc0\xaf"sv, "\xed\xa0\x80"sv}) {
    const auto result = check_relative_path(path);
    ASSERT_FALSE(result) << path;
    EXPECT_EQ(result.error().kind(), ErrorKind::invalid);
  }
  EXPECT_FALSE(check_relative_path(std::string(256, 'a')));
  EXPECT_FALSE(check_relative_path("a/" + std::string(256, 'a') + "/b"));
  std::string deep = "a";
  while (deep.size() < 4096) deep += "/a";
  EXPECT_FALSE(check_relative_path(deep));
}

TEST(RelativePath, AcceptsOddButHarmlessNames) {
  for (const auto path :
       {"a"sv, "..a"sv, "a/...b"sv, "a/b c"sv, "-"sv, "é/\xf0\x9f\x90\x9f"sv, "a\nb"sv, "*"sv, "a\\b"sv}) {
    EXPECT_TRUE(check_relative_path(path)) << path;
  }
  EXPECT_TRUE(check_relative_path(std::string(255, 'a')));
}

TEST(RelativePath, CutsAndJoins) {
  EXPECT_EQ(parent_of("a/b/c"), "a/b");
  EXPECT_EQ(parent_of("c"), "");
  EXPECT_EQ(name_of("a/b/c"), "c");
  EXPECT_EQ(name_of("c"), "c");
  EXPECT_EQ(join("a/b", "c"), "a/b/c");
  EXPECT_EQ(join("", "c"), "c");
  std::string_view rest = "a/b";
  EXPECT_EQ(take_segment(rest), "a");
  EXPECT_EQ(take_segment(rest), "b");
  EXPECT_TRUE(rest.empty());
}

TEST(RelativePath, PrintsBytesThatAreNotUtf8AsHex) {
  EXPECT_EQ(printable("a/\xff\x62"), "a/\\xffb");
  EXPECT_EQ(printable("é\n"), "é\\x0a");
}

TEST(RelativePath, KnowsItsOwnFiles) {
  for (const auto name : {".astacus"sv, ".cherax-links"sv, ".cherax-0123.tmp"sv, "cherax_index.db-wal"sv}) {
    EXPECT_TRUE(is_own_name(name)) << name;
  }
  EXPECT_FALSE(is_own_name("astacus"));
  EXPECT_FALSE(is_own_name("a.tmp"));
}

}  // namespace
}  // namespace cherax::snapshot
