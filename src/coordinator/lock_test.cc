#include "coordinator/lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>

#include "base/file.h"
#include "base/manual_clock.h"
#include "coordinator/fake_nodes.h"

namespace cherax::coordinator {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

http::Response locked(bool is) { return http::json_response(api::LockResult{is}); }

class ClusterLockTest : public testing::Test {
 protected:
  ClusterLockTest() {
    for (const char* verb : {"lock", "relock", "unlock"}) {
      nodes_.on(fmt::format("POST /node/{}", verb),
                [verb](std::size_t, const http::Request&) { return locked(std::string_view{verb} != "unlock"); });
    }
  }
  ~ClusterLockTest() override { std::filesystem::remove(path_); }

  std::unique_ptr<ClusterLock> lock(std::chrono::milliseconds time_to_live = 1h) {
    return std::make_unique<ClusterLock>(cluster_, file_, system_clock(),
                                         ClusterLock::Options{"me-1", time_to_live, [this](const std::string& reason) {
                                                                std::scoped_lock guard{mutex_};
                                                                lost_ = reason;
                                                                changed_.notify_all();
                                                              }});
  }
  std::string wait_until_lost() {
    std::unique_lock guard{mutex_};
    changed_.wait_for(guard, 30s, [this] { return !lost_.empty(); });
    return lost_;
  }

  FakeNodes nodes_{3};
  Cluster cluster_{nodes_.options, nodes_.client};
  std::filesystem::path path_ =
      std::filesystem::path{testing::TempDir()} / fmt::format("coordinator.lock.{}", ::getpid());
  LockFile file_{path_};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string lost_;
};

TEST_F(ClusterLockTest, LocksEveryNodeAndUnlocksAtItsEnd) {
  {
    const auto held = lock();
    EXPECT_EQ(nodes_.count("POST /node/lock"), 3);
    EXPECT_EQ(read_text(path_, 100), "me-1\n");
    held->relock();
    EXPECT_EQ(nodes_.count("POST /node/relock"), 3);
  }
  EXPECT_EQ(nodes_.count("POST /node/unlock"), 3);
  EXPECT_FALSE(status_of(path_));
}

TEST_F(ClusterLockTest, LocksAllNodesOrNoneAndSaysWhoHoldsThem) {
  nodes_.on("POST /node/lock", [](std::size_t node, const http::Request&) {
    if (node != 1) return locked(true);
    return http::Response::json(R"({"detail":"Already locked","holder":{"locker":"other-5","expires_in":12.5}})", 409);
  });
  try {
    lock();
    FAIL();
  } catch (const LockUnavailable& unavailable) {
    ASSERT_EQ(unavailable.holders.size(), 1U);
    EXPECT_EQ(unavailable.holders[0].node, cluster_.name(1));
    EXPECT_EQ(unavailable.holders[0].locker, "other-5");
    EXPECT_EQ(unavailable.holders[0].expires_in, 12.5);
    EXPECT_EQ(unavailable.reason, fmt::format("{} did not lock: status 409: Already locked", cluster_.name(1)));
  }
  EXPECT_EQ(nodes_.count("POST /node/unlock"), 3);
  EXPECT_FALSE(status_of(path_));
}

TEST_F(ClusterLockTest, RelocksByItselfLongBeforeItExpires) {
  const auto held = lock(20ms);
  while (nodes_.count("POST /node/relock") < 9) std::this_thread::yield();
  EXPECT_EQ(lost_, "");
}

TEST_F(ClusterLockTest, OneNodeThatSaysNoLosesTheLock) {
  nodes_.on("POST /node/relock", [](std::size_t node, const http::Request&) {
    return node == 2 ? http::Response::json(R"({"detail":"Locked by someone else"})", 403) : locked(true);
  });
  const auto held = lock(20ms);
  EXPECT_EQ(wait_until_lost(),
            fmt::format("the cluster lock is lost: {}: status 403: Locked by someone else", cluster_.name(2)));
  EXPECT_THROW(held->relock(), Error);
}

TEST_F(ClusterLockTest, AnUnreachableNodeLosesItOnlyWhenItHasExpired) {
  const auto held = lock(200ms);
  nodes_.stop(0);
  EXPECT_THROW(held->relock(), Error) << "just before the manifest an unreachable node is as bad as a lost lock";
  EXPECT_EQ(lost_, "");
  EXPECT_THAT(wait_until_lost(), HasSubstr(cluster_.name(0)));
}

TEST_F(ClusterLockTest, UnlocksWhatAKilledCoordinatorLeft) {
  LockFile{path_}.add("dead-1");
  LockFile{path_}.add("dead-2");
  std::mutex mutex;
  std::set<std::string> lockers;
  nodes_.on("POST /node/unlock", [&](std::size_t, const http::Request& request) {
    std::scoped_lock guard{mutex};
    lockers.insert(*http::find(request.query, "locker"));
    return locked(false);
  });
  for (const auto& locker : file_.lockers()) EXPECT_TRUE(ClusterLock::release_leftover(cluster_, file_, locker));
  EXPECT_EQ(lockers, (std::set<std::string>{"dead-1", "dead-2"}));
  EXPECT_FALSE(status_of(path_));
}

TEST_F(ClusterLockTest, WhatANodeCouldNotBeToldOfStays) {
  LockFile{path_}.add("dead-1");
  nodes_.on("POST /node/unlock", [&](std::size_t, const http::Request&) { return locked(false); });
  nodes_.stop(0);
  EXPECT_FALSE(ClusterLock::release_leftover(cluster_, file_, "dead-1"));
  EXPECT_THAT(LockFile{path_}.lockers(), testing::ElementsAre("dead-1"));
}

}  // namespace
}  // namespace cherax::coordinator
