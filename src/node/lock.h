#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"

namespace cherax::node {

/// The node's one lock: a coordinator takes it on every node before it works with them. It lives in memory and ends by
/// itself, by the steady clock, when it is not extended in time. Any thread.
class Lock {
 public:
  enum class Answer { done, already_locked, not_locked, locked_by_other };
  struct Holder {
    std::string locker;
    Duration expires_in;
  };

  explicit Lock(Clock& clock) : clock_(clock) {}

  /// Not even the holder may lock again: it may only extend.
  Answer acquire(const std::string& locker, Duration time_to_live);
  Answer extend(const std::string& locker, Duration time_to_live);
  Answer release(const std::string& locker);
  std::optional<Holder> holder();

 private:
  bool held() const { return !locker_.empty() && clock_.steady() < expires_; }
  Answer check(const std::string& locker) const;

  Clock& clock_;
  std::mutex mutex_;
  std::string locker_;
  SteadyTime expires_;
};

}  // namespace cherax::node
