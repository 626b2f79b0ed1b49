#include "cli/progress_line.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <functional>
#include <regex>

namespace cherax::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kMega = 1'000'000;
constexpr std::size_t kWide = 200;

SteadyTime at(Duration time) { return SteadyTime{} + time; }

api::OperationStatus in_step(std::int64_t number, std::string name, std::optional<api::Progress> progress = {}) {
  return {.state = api::OperationState::running,
          .progress = api::Progress{.handled = 77, .total = 777, .bytes = 7777, .bytes_total = 77'777},
          .step = api::StepStatus{std::move(name), number, 10, progress},
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

/// An upload of 40 GB by 10 MB a second that is looked at each second, while the server has fresh numbers only at some
/// times.
class ProgressLineRefreshedRarely : public testing::Test {
 protected:
  static constexpr std::int64_t kTotal = 40'000;
  static constexpr double kRate = 10;

  /// `refreshed_at` is the time of the latest refresh, for each time that is looked at.
  void look(std::int64_t from, std::int64_t to, const std::function<double(double)>& refreshed_at,
            const std::function<void(std::int64_t)>& check) {
    for (auto second = from; second <= to; ++second) {
      const auto done = static_cast<std::int64_t>(kRate * refreshed_at(static_cast<double>(second)));
      line_.observe(at(std::chrono::seconds{second}),
                    in_step(9, "upload", blocks(done, kTotal, done * kMega, kTotal * kMega)));
      check(second);
    }
  }
  void expect_honest(std::int64_t second) const {
    const auto text = line_.text(kWide);
    std::smatch match;
    ASSERT_TRUE(std::regex_search(text, match, std::regex{R"(, ([\d.]+) MB/s)"})) << second << ": " << text;
    EXPECT_NEAR(std::stod(match[1]), kRate, 0.3 * kRate) << second << ": " << text;
    ASSERT_TRUE(std::regex_search(text, match, std::regex{R"(, (?:(\d+)h ?)?(?:(\d+)m ?)?(?:(\d+)s ?)?left)"}))
        << second << ": " << text;
    const auto part = [&](std::size_t i) { return match[i].matched ? std::stod(match[i]) : 0; };
    const double left = static_cast<double>(kTotal) / kRate - static_cast<double>(second);
    EXPECT_NEAR(3600 * part(1) + 60 * part(2) + part(3), left, 0.3 * left) << second << ": " << text;
  }

  ProgressLine line_{"backup"};
};

TEST_F(ProgressLineRefreshedRarely, ShowsTheTrueRateAndTimeLeftFromTheSecondRefreshOn) {
  for (const std::int64_t every : {1, 10, 60}) {
    for (const double phase : {0.0, 0.4, 0.9}) {
      line_ = ProgressLine{"backup"};
      const auto refreshed_at = [&](double now) {
        const double interval = static_cast<double>(every);
        return std::max(0.0, std::floor((now - phase) / interval) * interval + phase);
      };
      // Without a basis of five seconds there is no time left.
      const auto from = std::max<std::int64_t>(2 * every + 1, 7);
      look(0, 5 * every + 30, refreshed_at, [&](std::int64_t second) {
        if (second >= from) expect_honest(second);
      });
    }
  }
}

TEST_F(ProgressLineRefreshedRarely, ShowsThemWhileTheDelaysGrow) {
  const auto refreshed_at = [](double now) {
    double last = 0;
    for (double delay = 1; last + delay <= now; delay = std::min(2 * delay, 60.0)) last += delay;
    return last;
  };
  look(0, 400, refreshed_at, [&](std::int64_t second) {
    if (second >= 7) expect_honest(second);
  });
}

TEST_F(ProgressLineRefreshedRarely, ShowsAStallOnceARefreshIsLongOverdueAndRecoversFromIt) {
  for (const std::int64_t every : {1, 10, 60}) {
    line_ = ProgressLine{"backup"};
    const auto last = static_cast<double>(5 * every);
    const auto back = 5 * every + 1000;
    const auto refreshed_at = [&](double now) {
      const double interval = static_cast<double>(every);
      const double running = std::floor(now / interval) * interval;
      return now >= static_cast<double>(back) ? running - static_cast<double>(back) + last : std::min(last, running);
    };
    look(0, back - 1, refreshed_at, [&](std::int64_t second) {
      if (second < 5 * every + 2 * every + 10) return;
      EXPECT_TRUE(line_.text(kWide).ends_with(" of 40.0 GB, 0 B/s")) << second << ": " << line_.text(kWide);
    });
    look(back, back + 5 * every, refreshed_at, [](std::int64_t) {});
    EXPECT_NE(line_.text(kWide).find("10.0 MB/s"), std::string::npos) << line_.text(kWide);
  }
}

TEST(ProgressLine, ShowsAStallFromTheStart) {
  ProgressLine line{"backup"};
  const auto nothing = in_step(9, "upload", blocks(0, 1000, 0, 1000 * kMega));
  for (auto time = 0s; time <= 60s; ++time) line.observe(at(time), nothing);
  EXPECT_EQ(line.text(kWide), "[9/10] upload, 0 of 1000 files, 0 B of 1.0 GB") << "the next numbers may be to come";
  for (auto time = 61s; time <= 120s; ++time) line.observe(at(time), nothing);
  EXPECT_EQ(line.text(kWide), "[9/10] upload, 0 of 1000 files, 0 B of 1.0 GB, 0 B/s");
}

TEST(ProgressLine, TheTimeLeftRunsDownBetweenTwoRefreshes) {
  auto line = steady_upload(60);
  EXPECT_EQ(line.text(kWide), "[9/10] upload, 600 of 1000 files, 600.0 MB of 1.0 GB, 10.0 MB/s, 40s left");
  line.observe(at(64s), in_step(9, "upload", blocks(600, 1000, 600 * kMega, 1000 * kMega)));
  EXPECT_EQ(line.text(kWide), "[9/10] upload, 600 of 1000 files, 600.0 MB of 1.0 GB, 10.0 MB/s, 36s left");
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
  line.observe(at(1s), in_step(9, "upload", blocks(3, 20, 3 * kMega, 20 * kMega)));
  EXPECT_EQ(line.text(kWide), "[9/10] upload, 3 of 20 files, 3.0 MB of 20.0 MB");
}

TEST(ProgressLine, CountsAStepThatIsBegunAgainAnew) {
  auto line = steady_upload(20);
  auto again = in_step(9, "upload", blocks(9, 10, 900, 1000));
  again.attempt = 2;
  line.observe(at(21s), again);
  EXPECT_EQ(line.text(kWide), "[9/10] upload, attempt 2, 9 of 10 files, 900 B of 1.0 KB");
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
    auto& progress = status.step ? status.step->progress : status.progress;
    if (*rc::gen::arbitrary<bool>()) progress = blocks(number(), number(), number(), number());
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
