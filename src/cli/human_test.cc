#include "cli/human.h"

#include <gtest/gtest.h>

namespace cherax::cli {
namespace {

using namespace std::chrono_literals;

TEST(FormatSize, UsesDecimalUnitsWithOneDigit) {
  EXPECT_EQ(format_size(0), "0 B");
  EXPECT_EQ(format_size(999), "999 B");
  EXPECT_EQ(format_size(1000), "1.0 KB");
  EXPECT_EQ(format_size(20'240), "20.2 KB");
  EXPECT_EQ(format_size(14'096'834), "14.1 MB");
  EXPECT_EQ(format_size(1'500'000'000), "1.5 GB");
  EXPECT_EQ(format_size(123'400'000'000'000), "123.4 TB");
}

TEST(FormatDuration, DropsPartsThatAreZero) {
  EXPECT_EQ(format_duration(0s), "");
  EXPECT_EQ(format_duration(59s), "59s");
  EXPECT_EQ(format_duration(60s), "1m");
  EXPECT_EQ(format_duration(3604s), "1h 4s");
  EXPECT_EQ(format_duration(std::chrono::days{1} + 3661s), "1d 1h 1m 1s");
  EXPECT_EQ(format_duration(-5s), "");
}

TEST(FormatElapsed, HasTenthsBelowOneMinute) {
  EXPECT_EQ(format_elapsed(0ms), "0.0 s");
  EXPECT_EQ(format_elapsed(3240ms), "3.2 s");
  EXPECT_EQ(format_elapsed(64'900ms), "1m 4s");
}

TEST(FormatEstimate, IsCoarserTheLongerItIs) {
  EXPECT_EQ(format_estimate(0s), "1s");
  EXPECT_EQ(format_estimate(42s), "42s");
  EXPECT_EQ(format_estimate(61s), "1m 10s");
  EXPECT_EQ(format_estimate(600s), "10m");
  EXPECT_EQ(format_estimate(3'601s), "1h 1m");
}

}  // namespace
}  // namespace cherax::cli
