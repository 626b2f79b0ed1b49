#pragma once

#include <mutex>

#include "base/clock.h"

namespace cherax {

/// A clock for tests: time passes only by advance(), and sleeping advances it. Any thread.
class ManualClock final : public Clock {
 public:
  Timestamp now() override {
    std::scoped_lock lock{mutex_};
    return now_;
  }
  SteadyTime steady() override {
    std::scoped_lock lock{mutex_};
    return steady_;
  }
  bool sleep_for(Duration duration, std::stop_token stop) override {
    advance(duration);
    return !stop.stop_requested();
  }
  void advance(Duration duration) {
    std::scoped_lock lock{mutex_};
    now_ += std::chrono::floor<std::chrono::microseconds>(duration);
    steady_ += duration;
  }

 private:
  std::mutex mutex_;
  Timestamp now_{std::chrono::seconds{1'700'000'000}};
  SteadyTime steady_{};
};

}  // namespace cherax
