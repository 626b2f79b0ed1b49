#include "cli/text.h"

#include <gtest/gtest.h>

#include "cli/console.h"

namespace cherax::cli {
namespace {

TEST(Text, CountsCodePoints) {
  EXPECT_EQ(width_of(""), 0U);
  EXPECT_EQ(width_of("bücher"), 6U);
}

TEST(Text, IsNeverCutWithinACodePoint) {
  EXPECT_EQ(cut("bücher", 0), "");
  EXPECT_EQ(cut("bücher", 1), "b");
  EXPECT_EQ(cut("bücher", 2), "bü");
  EXPECT_EQ(cut("bücher", 99), "bücher");
}

TEST(Text, FromElsewhereKeepsItsLineBreaksOnly) {
  EXPECT_EQ(printable_lines("a\n\x1b[2Jb\r\n"), "a\n\\x1b[2Jb\\x0d\n");
  EXPECT_EQ(printable_lines(""), "");
}

}  // namespace
}  // namespace cherax::cli
