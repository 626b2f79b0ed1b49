#include "node/lock.h"

#include <gtest/gtest.h>

#include "base/manual_clock.h"

namespace cherax::node {
namespace {

using namespace std::chrono_literals;
using Answer = Lock::Answer;

TEST(Lock, IsHeldByOneUntilItIsReleased) {
  ManualClock clock;
  Lock lock{clock};
  EXPECT_EQ(lock.extend("a", 10s), Answer::not_locked);
  EXPECT_EQ(lock.acquire("a", 10s), Answer::done);
  EXPECT_EQ(lock.acquire("b", 10s), Answer::already_locked);
  EXPECT_EQ(lock.acquire("a", 10s), Answer::already_locked);
  EXPECT_EQ(lock.extend("b", 10s), Answer::locked_by_other);
  EXPECT_EQ(lock.release("b"), Answer::locked_by_other);
  EXPECT_EQ(lock.release("a"), Answer::done);
  EXPECT_EQ(lock.release("a"), Answer::not_locked);
  EXPECT_EQ(lock.acquire("b", 10s), Answer::done);
}

TEST(Lock, EndsByItselfUnlessItIsExtended) {
  ManualClock clock;
  Lock lock{clock};
  ASSERT_EQ(lock.acquire("a", 10s), Answer::done);
  clock.advance(9s);
  EXPECT_EQ(lock.extend("a", 10s), Answer::done);
  clock.advance(9s);
  EXPECT_EQ(lock.holder()->locker, "a");
  EXPECT_EQ(lock.holder()->expires_in, 1s);
  clock.advance(1s);
  EXPECT_FALSE(lock.holder());
  EXPECT_EQ(lock.extend("a", 10s), Answer::not_locked);
  EXPECT_EQ(lock.acquire("b", 10s), Answer::done);
}

TEST(Lock, AnEmptyLockerLocksNothing) {
  ManualClock clock;
  Lock lock{clock};
  EXPECT_EQ(lock.acquire("", 10s), Answer::done);
  EXPECT_FALSE(lock.holder());
}

}  // namespace
}  // namespace cherax::node
