#include <atomic>
#include <thread>

#include "conformance/object_store_suite.h"

namespace cherax::conformance {

using namespace storage;

namespace {

constexpr std::uint64_t kThreads = 8;

void in_threads(const std::function<void(std::uint64_t)>& work) {
  std::vector<std::jthread> threads;
  for (std::uint64_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&work, i] {
      try {
        work(i);
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
      }
    });
  }
}

struct CountDown {
  std::atomic<std::uint64_t>& count;
  ~CountDown() { --count; }
};

TEST_P(ObjectStoreConformance, OfManyWritersIfAbsentExactlyOneWins) {
  if (!store().capabilities().if_absent_is_atomic) return;  // stated by the store; the callers ask
  for (int round = 0; round < 20; ++round) {
    const auto key = fmt::format("json/{}", round);
    std::atomic<std::uint64_t> winners{0}, winner{0};
    in_threads([&](std::uint64_t i) {
      const auto handle = another_handle();
      const std::uint64_t size = 1000 * i;
      PatternSource source{i, size};
      try {
        handle->put({key}, source, {{"seed", std::to_string(i)}, {"size", std::to_string(size)}}, PutMode::if_absent);
        ++winners;
        winner = i;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::already_exists) << error.what();
      }
    });
    EXPECT_EQ(winners, 1U);
    std::uint64_t found = 0;
    EXPECT_TRUE(is_whole_pattern(store(), key, &found));
    EXPECT_EQ(found, winner);
  }
}

TEST_P(ObjectStoreConformance, WithManyWritersEachReadIsWholeAndOfOneWriter) {
  put_pattern("data/a", 0, 1000);
  std::atomic<std::uint64_t> writing{kThreads / 2}, reads{0};
  in_threads([&](std::uint64_t i) {
    const auto handle = another_handle();
    if (i % 2 == 0) {
      const CountDown done{writing};
      for (std::uint64_t round = 0; round < 50; ++round) {
        const std::uint64_t seed = i * 1000 + round;
        const std::uint64_t size = round % 2 == 0 ? 50'000 : 1000 * i;  // often the same size as another's
        PatternSource source{seed, size};
        handle->put({"data/a"}, source, {{"seed", std::to_string(seed)}, {"size", std::to_string(size)}},
                    PutMode::replace);
      }
    } else {
      while (writing > 0) {
        EXPECT_TRUE(is_whole_pattern(*handle, "data/a"));
        const auto head = handle->head({"data/a"});
        ASSERT_TRUE(head);
        EXPECT_EQ(std::to_string(head->size), head->metadata.at("size"));
        ++reads;
      }
    }
  });
  EXPECT_GT(reads, 0U);
  EXPECT_TRUE(is_whole_pattern(store(), "data/a"));
}

TEST_P(ObjectStoreConformance, ManyThreadsStoreAndRemoveObjectsOfTheirOwn) {
  in_threads([&](std::uint64_t i) {
    for (std::uint64_t number = 0; number < 50; ++number) {
      const ObjectKey key{fmt::format("data/{}/{:02}", i, number)};
      PatternSource source{number, 100};
      store().put(key, source, {{"seed", std::to_string(number)}, {"size", "100"}}, PutMode::if_absent);
      if (number % 2 == 1) store().remove({&key, 1});
    }
  });
  std::vector<std::string> expected;
  for (std::uint64_t i = 0; i < kThreads; ++i) {
    for (std::uint64_t number = 0; number < 50; number += 2)
      expected.push_back(fmt::format("data/{}/{:02}", i, number));
  }
  EXPECT_EQ(keys("data/"), expected);
}

}  // namespace
}  // namespace cherax::conformance
