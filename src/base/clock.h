#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/error.h"

namespace cherax {

/// Wall-clock time in UTC, as it stands in manifests and answers.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;
using Duration = std::chrono::steady_clock::duration;
using SteadyTime = std::chrono::steady_clock::time_point;

/// RFC 3339 with `Z`; microseconds only when they are not zero: 2020-01-01T21:43:00Z, 2026-11-23T23:05:35.704204Z.
std::string format_rfc3339(Timestamp time);
/// `2026-11-23T22:40:25+00:00`, whole seconds: the time in a backup's name.
std::string format_backup_time(Timestamp time);
/// Any RFC 3339 time; a fraction finer than microseconds is cut.
Result<Timestamp> parse_rfc3339(std::string_view text);

/// The time, injected so that tests need no sleeps. All members may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() = 0;
  virtual SteadyTime steady() = 0;
  /// Sleeps, or returns false early when `stop` is requested.
  virtual bool sleep_for(Duration duration, std::stop_token stop) = 0;
};

/// The machine's clock.
Clock& system_clock();

/// When something has to be over. Copied along to every call made on its behalf.
class Deadline {
 public:
  static Deadline in(Duration duration) { return Deadline{std::chrono::steady_clock::now() + duration}; }
  static Deadline at(SteadyTime time) { return Deadline{time}; }

  SteadyTime time() const { return time_; }
  bool passed() const { return std::chrono::steady_clock::now() >= time_; }
  /// Never negative.
  std::chrono::milliseconds remaining() const;

 private:
  explicit Deadline(SteadyTime time) : time_(time) {}
  SteadyTime time_;
};

}  // namespace cherax
