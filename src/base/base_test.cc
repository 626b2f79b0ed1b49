#include <fcntl.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/thread_pool.h"

namespace cherax {
namespace {

Bytes arbitrary_bytes() {
  const auto numbers = *rc::gen::arbitrary<std::vector<std::uint8_t>>();
  Bytes bytes;
  for (auto number : numbers) bytes.push_back(static_cast<std::byte>(number));
  return bytes;
}

TEST(Bytes, HexAndBase64ComeBackForAnyBytes) {
  EXPECT_TRUE(rc::check([] {
    const Bytes bytes = arbitrary_bytes();
    RC_ASSERT(from_hex(to_hex(bytes)).value() == bytes);
    RC_ASSERT(from_base64(to_base64(bytes)).value() == bytes);
  }));
}

TEST(Bytes, RefusesMalformedText) {
  EXPECT_FALSE(from_hex("abc"));
  EXPECT_FALSE(from_hex("zz"));
  for (std::string_view text : {"a", "ab==c", "====", "ab\n=", "abc", "a===", "ab=a"})
    EXPECT_FALSE(from_base64(text)) << text;
  EXPECT_EQ(to_base64(as_bytes("same small")), "c2FtZSBzbWFsbA==");
}

TEST(Digest, IsSixtyFourLowerCaseHexDigits) {
  const std::string hex(64, 'a');
  EXPECT_EQ(Digest::from_hex(hex).value().hex(), hex);
  EXPECT_FALSE(Digest::from_hex(std::string(64, 'A')));
  EXPECT_FALSE(Digest::from_hex(std::string(62, 'a')));
}

TEST(Clock, WritesTimesAsAstacusDoes) {
  EXPECT_EQ(format_rfc3339(parse_rfc3339("2020-01-01T21:43:00Z").value()), "2020-01-01T21:43:00Z");
  EXPECT_EQ(format_rfc3339(parse_rfc3339("2026-11-23T23:05:35.704204+02:00").value()), "2026-11-23T21:05:35.704204Z");
  EXPECT_EQ(format_rfc3339(parse_rfc3339("2026-11-23T23:05:35.7Z").value()), "2026-11-23T23:05:35.700000Z");
  EXPECT_EQ(parse_rfc3339("2026-11-23T23:05:35.123456789Z").value(),
            parse_rfc3339("2026-11-23T23:05:35.123456Z").value());
  EXPECT_EQ(format_backup_time(parse_rfc3339("2026-11-23T22:40:25.9Z").value()), "2026-11-23T22:40:25+00:00");
  for (std::string_view text : {"", "2026-11-23", "2026-11-23T23:05:35", "2026-13-23T23:05:35Z",
                                "2026-11-23T23:05:35.Z", "2026-11-23T23:05:35Zx", "yesterday, at ten o'clock Z"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

TEST(Clock, ReadsEveryTimeThatItWrites) {
  EXPECT_TRUE(rc::check([] {
    const auto micros = *rc::gen::inRange<std::int64_t>(0, 4102444800'000000);
    const Timestamp time{std::chrono::microseconds{micros}};
    RC_ASSERT(parse_rfc3339(format_rfc3339(time)).value() == time);
  }));
}

TEST(Clock, SleepEndsWhenStopIsRequested) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(system_clock().sleep_for(std::chrono::hours{1}, stop.get_token()));
}

TEST(ParallelFor, DoesEachItemOnceOnBoundedWorkers) {
  std::atomic<int> running{0}, most{0}, sum{0};
  int next = 0;
  parallel_for(
      4, {}, [&]() -> std::optional<int> { return next < 1000 ? std::optional{next++} : std::nullopt; },
      [&](int item) {
        const int now = ++running;
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
        }
        sum += item;
        --running;
      });
  EXPECT_EQ(sum, 499500);
  EXPECT_LE(most, 4);
}

TEST(ParallelFor, RethrowsTheFirstFailureAndTakesNoMoreItems) {
  std::vector<int> items(1000);
  std::atomic<int> done{0};
  EXPECT_THROW(parallel_for_each(2, {}, items,
                                 [&](int&) {
                                   ++done;
                                   fail(ErrorKind::transient, "no");
                                 }),
               Error);
  EXPECT_LE(done, 2);
}

TEST(ParallelFor, StopIsCancelled) {
  std::stop_source stop;
  stop.request_stop();
  std::vector<int> items(3);
  try {
    parallel_for_each(2, stop.get_token(), items, [](int&) {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::cancelled);
  }
}

TEST(ThreadPool, RunsWhatItTookAndRefusesMore) {
  std::atomic<int> done{0};
  {
    std::mutex gate;
    std::unique_lock closed{gate};
    ThreadPool pool{"test", 1, 2};
    std::atomic<bool> started{false};
    ASSERT_TRUE(pool.try_submit([&] {
      started = true;
      std::scoped_lock lock{gate};
      ++done;
    }));
    while (!started) std::this_thread::yield();
    EXPECT_TRUE(pool.try_submit([&] { ++done; }));
    EXPECT_TRUE(pool.try_submit([&] { ++done; }));
    EXPECT_FALSE(pool.try_submit([&] { ++done; }));
    closed.unlock();
  }
  EXPECT_EQ(done, 3);
}

class FileTest : public testing::Test {
 protected:
  FileTest() { std::filesystem::create_directories(directory_); }
  ~FileTest() override { std::filesystem::remove_all(directory_); }
  std::filesystem::path directory_ =
      std::filesystem::path{testing::TempDir()} / fmt::format("file_test.{}", ::getpid());
};

TEST_F(FileTest, WriteDurablyReplacesTheWholeFileAndLeavesNothingElse) {
  write_durably(directory_ / "a", "old");
  write_durably(directory_ / "a", "new", 0600);
  EXPECT_EQ(read_text(directory_ / "a", 10), "new");
  EXPECT_EQ(status_of(directory_ / "a")->st_mode & 0777, 0600U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator{directory_}, {}), 1);
}

TEST_F(FileTest, ErrorsNameThePathAndTheCause) {
  try {
    const File absent{directory_ / "absent", O_RDONLY};
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
    EXPECT_EQ(error.message(), fmt::format("opening {}/absent: No such file or directory", directory_.string()));
  }
  write_durably(directory_ / "big", "12345");
  EXPECT_THROW(read_text(directory_ / "big", 4), Error);
  EXPECT_EQ(status_of(directory_ / "absent"), std::nullopt);
  EXPECT_NO_THROW(remove_if_exists(directory_ / "absent"));
}

TEST_F(FileTest, ATemporaryFileHasNoName) {
  File file = File::temporary(directory_);
  file.write(as_bytes("hello"));
  file.seek(1);
  Bytes buffer(10);
  EXPECT_EQ(file.read(buffer), 4U);
  EXPECT_EQ(file.read_at(0, buffer), 5U);
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
}

TEST(Error, KeepsItsKindThroughContextsAndThreads) {
  try {
    in_context("backup 3", [] { in_context("uploading x", [] { fail(ErrorKind::throttled, "slow down"); }); });
    FAIL();
  } catch (...) {
    const Error error = error_from(std::current_exception());
    EXPECT_EQ(error.kind(), ErrorKind::throttled);
    EXPECT_EQ(error.message(), "backup 3: uploading x: slow down");
  }
  EXPECT_EQ(error_from(std::make_exception_ptr(std::runtime_error{"r"})).kind(), ErrorKind::internal);
}

}  // namespace
}  // namespace cherax
