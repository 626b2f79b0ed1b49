#include "cli/progress_line.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace cherax::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kMega = 1'000'000;
constexpr std::size_t kWide = 200;

SteadyTime at(Duration time) { return SteadyTime{} + time; }

api::OperationStatus in_step(std::int64_t number, std::string name, api::Progress progress = {}) {
  return {.state = api::OperationState::running,
          .progress = progress,
          .step = api::StepStatus{std::move(name), number, 10},
          .attempt = 1};
}

api::Progress blocks(std::int64_t handled, std::int64_t total, std::int64_t bytes, std::int64_t bytes_total) {
  return {.handled = handled, .total = total, .bytes = bytes, .bytes_total = bytes_total};
}

/// An upload of 1000 blocks of 1 MB, ten a second, from time 0 to `end`, seen each second.
ProgressLine steady_upload(std::int64_t end) {
  ProgressLine line{"backup"};
  for (std::int64_t second = 0; second <= end; ++second) {
    const auto done = 10 * second;
    line.observe(at(std::chrono::seconds{second}),
                 in_step(9, "upload", blocks(done, 1000, done * kMega, 1000 * kMega)));
  }
  return line;
}

TEST(ProgressLine, ShowsStepFilesBytesRateAndTimeLeft) {
  EXPECT_EQ(steady_upload(20).text(kWide),
            "[9/10] upload, 200 of 1000 files, 200.0 MB of 1.0 GB, 10.0 MB/s, 1m 20s left");
}

TEST(ProgressLine, ShowsNoTimeLeftBeforeThereIsABasisForIt) {
  EXPECT_EQ(steady_upload(0).text(kWide), "[9/10] upload, 0 of 1000 files, 0 B of 1.0 GB");
  EXPECT_EQ(steady_upload(4).text(kWide), "[9/10] upload, 40 of 1000 files, 40.0 MB of 1.0 GB, 10.0 MB/s");
  EXPECT_EQ(steady_upload(5).text(kWide), "[9/10] upload, 50 of 1000 files, 50.0 MB of 1.0 GB, 10.0 MB/s, 1m 40s left");
}

TEST(ProgressLine, ShowsNoTimeLeftWhileTheTotalGrows) {
  ProgressLine line{"backup"};
  for (std::int64_t second = 0; second <= 20; ++second) {
    const auto total = 100 + 10 * second;
    line.observe(at(std::chrono::seconds{second}),
                 in_step(7, "snapshot", blocks(second, total, second * kMega, total * kMega)));
  }
  EXPECT_EQ(line.text(kWide), "[7/10] snapshot, 20 of 300 files, 20.0 MB of 300.0 MB, 1.0 MB/s");
}

TEST(ProgressLine, ShowsNoTimeLeftOnceNothingHasMovedForLong) {
  auto line = steady_upload(20);
  const auto stalled = in_step(9, "upload", blocks(200, 1000, 200 * kMega, 1000 * kMega));
  line.observe(at(28s), stalled);
  EXPECT_EQ(line.text(kWide), "[9/10] upload, 200 of 1000 files, 200.0 MB of 1.0 GB, 0 B/s, 2m left");
  for (auto time = 29s; time <= 60s; ++time) line.observe(at(time), stalled);
  EXPECT_EQ(line.text(kWide), "[9/10] upload, 200 of 1000 files, 200.0 MB of 1.0 GB, 0 B/s");
}

TEST(ProgressLine, TakesTheRateFromTheLastSecondsAndTheTimeLeftFromALongerAverage) {
  auto line = steady_upload(30);
  for (std::int64_t second = 31; second <= 35; ++second) {
    const auto done = 300 + 2 * (second - 30);
    line.observe(at(std::chrono::seconds{second}),
                 in_step(9, "upload", blocks(done, 1000, done * kMega, 1000 * kMega)));
  }
  // The last 30 s brought 260 MB; 690 MB are left.
  EXPECT_EQ(line.text(kWide), "[9/10] upload, 310 of 1000 files, 310.0 MB of 1.0 GB, 2.0 MB/s, 1m 20s left");
}

TEST(ProgressLine, CountsTheStepUnderWayOnly) {
  ProgressLine line{"backup"};
  line.observe(at(0s), in_step(7, "snapshot", blocks(90, 100, 90 * kMega, 100 * kMega)));
  line.observe(at(1s), in_step(9, "upload", blocks(103, 120, 103 * kMega, 120 * kMega)));
  EXPECT_EQ(line.text(kWide), "[9/10] upload, 3 of 20 files, 3.0 MB of 20.0 MB");
}

TEST(ProgressLine, BeginsAnewWithAnotherAttempt) {
  auto line = steady_upload(20);
  auto again = in_step(1, "validate");
  again.attempt = 2;
  line.observe(at(21s), again);
  EXPECT_EQ(line.text(kWide), "[1/10] validate, attempt 2");
}

TEST(ProgressLine, CountsFilesOfARestoreWithoutTheirBytes) {
  ProgressLine line{"restore"};
  line.observe(at(0s), in_step(9, "download", blocks(3 + 5000, 10 + 20'000, 5000, 20'000)));
  EXPECT_EQ(line.text(kWide), "[9/10] download, 3 of 10 files, 5.0 KB of 20.0 KB");
}

TEST(ProgressLine, ShowsHowLongAStepWithoutNumbersTakes) {
  ProgressLine line{"backup"};
  line.observe(at(0s), in_step(1, "validate"));
  EXPECT_EQ(line.text(kWide), "[1/10] validate");
  line.observe(at(63s), in_step(1, "validate"));
  EXPECT_EQ(line.text(kWide), "[1/10] validate, 1m 3s");
}

TEST(ProgressLine, ManagesWithWhatAnAstacusServerTells) {
  ProgressLine line{"backup"};
  for (std::int64_t second = 0; second <= 10; ++second) {
    line.observe(at(std::chrono::seconds{second}),
                 {.state = api::OperationState::running, .progress = api::Progress{.handled = second, .total = 40}});
  }
  EXPECT_EQ(line.text(kWide), "backup, 10 of 40, 30s left");
}

TEST(ProgressLine, ShortensTheNameOfTheStepBeforeTheNumbers) {
  ProgressLine line{"backup"};
  line.observe(at(0s), in_step(8, "find what object storage läcks", blocks(3, 10, 5000, 20'000)));
  EXPECT_EQ(line.text(60), "[8/10] find what object .., 3 of 10 files, 5.0 KB of 20.0 KB");
  EXPECT_EQ(line.text(20), "[8/10] find w.., 3 o");
}

TEST(ProgressLine, ShowsNoControlCharactersOfAServer) {
  ProgressLine line{"backup"};
  line.observe(at(0s), in_step(1, "a\x1b[2J\r"));
  EXPECT_EQ(line.text(kWide), "[1/10] a\\x1b[2J\\x0d");
}

RC_GTEST_PROP(ProgressLine, NeverExceedsTheTerminalWhateverTheServerSays, ()) {
  ProgressLine line{"restore"};
  Duration now{};
  for (int i = 0; i < 20; ++i) {
    now += std::chrono::milliseconds{*rc::gen::inRange(0, 5000)};
    api::OperationStatus status;
    if (*rc::gen::arbitrary<bool>()) {
      status.step = api::StepStatus{*rc::gen::container<std::string>(rc::gen::inRange<char>(32, 127)),
                                    *rc::gen::inRange<std::int64_t>(-1, 5), *rc::gen::inRange<std::int64_t>(-1, 5)};
    }
    const auto number = [] { return *rc::gen::inRange<std::int64_t>(-10, 1'000'000'000); };
    if (*rc::gen::arbitrary<bool>()) status.progress = blocks(number(), number(), number(), number());
    line.observe(at(now), status);
    const auto columns = *rc::gen::inRange<std::size_t>(0, 120);
    RC_ASSERT(line.text(columns).size() <= columns);
  }
}

TEST(StepLines, TellsEachStepOnceAndHowLongTheOneBeforeTook) {
  StepLines lines;
  EXPECT_EQ(lines.observe(at(0s), in_step(1, "validate")), "step 1 of 10: validate");
  EXPECT_EQ(lines.observe(at(2s), in_step(1, "validate")), std::nullopt);
  EXPECT_EQ(lines.observe(at(3200ms), in_step(3, "retrieve the schema")),
            "step 3 of 10: retrieve the schema (step 1 took 3.2 s)");
  auto again = in_step(3, "retrieve the schema");
  again.attempt = 2;
  EXPECT_EQ(lines.observe(at(70s), again), "step 3 of 10: retrieve the schema, attempt 2 (step 3 took 1m 6s)");
  EXPECT_EQ(lines.observe(at(71s), {}), std::nullopt);
}

}  // namespace
}  // namespace cherax::cli
