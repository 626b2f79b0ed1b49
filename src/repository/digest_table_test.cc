#include "repository/digest_table.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <random>

namespace cherax::repository {
namespace {

struct Counted {
  Digest digest;
  std::uint64_t count = 1;
  std::uint64_t first = 0;
  void absorb(const Counted& later) { count += later.count; }
};

Digest digest(std::uint64_t number, bool spread) {
  if (spread) number *= 0x9e3779b97f4a7c15U;
  Digest digest;
  std::memcpy(digest.bytes.data(), &number, sizeof number);
  return digest;
}

TEST(DigestTable, HoldsEachDigestOnceWithAllThatWasAdded) {
  EXPECT_TRUE(rc::check([] {
    const auto numbers = *rc::gen::container<std::vector<std::uint64_t>>(rc::gen::inRange<std::uint64_t>(0, 500));
    const bool spread = *rc::gen::arbitrary<bool>();
    DigestTable<Counted> table;
    std::map<Digest, Counted> expected;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const Counted entry{.digest = digest(numbers[i], spread), .first = i};
      table.add(entry);
      if (i % 7 == 0) RC_ASSERT(table.find(entry.digest));
      const auto [place, is_new] = expected.emplace(entry.digest, entry);
      if (!is_new) place->second.absorb(entry);
    }
    auto next = expected.begin();
    table.for_each([&](const Counted& entry) {
      RC_ASSERT(next != expected.end());
      RC_ASSERT(entry.digest == next->first);
      RC_ASSERT(entry.count == next->second.count);
      RC_ASSERT(entry.first == next->second.first);
      ++next;
    });
    RC_ASSERT(next == expected.end());
    RC_ASSERT(!table.find(digest(1000, spread)));
  }));
}

TEST(DigestTable, NeedsAtMost64BytesForEachOfManyDigestsHoweverOftenTheyCome) {
  DigestTable<Counted> table;
  std::mt19937_64 random{1};
  constexpr std::uint64_t kDistinct = 300'000;
  for (std::uint64_t i = 0; i < kDistinct; ++i) {
    table.add({.digest = digest(i, true)});
    table.add({.digest = digest(random() % (i + 1), true)});
    if (i > 100'000 && i % 10'000 == 0) {
      EXPECT_LE(table.capacity_bytes(), 64 * i);
    }
  }
  EXPECT_LE(table.capacity_bytes(), 64 * kDistinct);
  std::uint64_t distinct = 0, count = 0;
  table.for_each([&](const Counted& entry) {
    ++distinct;
    count += entry.count;
  });
  EXPECT_EQ(distinct, kDistinct);
  EXPECT_EQ(count, 2 * kDistinct);
}

}  // namespace
}  // namespace cherax::repository
