#pragma once

#include <deque>
#include <optional>
#include <string>

#include "api/messages.h"
#include "base/clock.h"

/// What an operation is doing, as text, from its statuses in the order in which they came. Pure.
namespace cherax::cli {

/// One line that is redrawn:
///   [9/10] upload: 120 of 5678 files, 1.2 GB of 3.4 GB, 105.3 MB/s, 20s left
/// The numbers are those of the step under way. A server has fresh ones only now and then, up to a minute apart, so
/// rate and time left are between two changes of the numbers, and hold until the next one is long overdue: then the
/// step stalls, and the rate is zero. The rate is that of the last seconds. The time left follows a longer average, and
/// is not shown before that is known and the total has stayed the same for a while.
class ProgressLine {
 public:
  /// The operation's name, for servers that do not tell their steps: there it counts as one.
  explicit ProgressLine(std::string operation) : operation_(std::move(operation)) {}

  void observe(SteadyTime now, const api::OperationStatus& status);
  /// At most `columns` characters: the name of the step is shortened before the numbers are cut.
  std::string text(std::size_t columns) const;

 private:
  struct Amount {
    std::int64_t items = 0;
    std::int64_t items_total = 0;
    std::int64_t bytes = 0;
    std::int64_t bytes_total = 0;

    bool operator==(const Amount&) const = default;
    bool in_bytes() const { return bytes_total > 0; }
    std::int64_t done() const { return in_bytes() ? bytes : items; }
    std::int64_t total() const { return in_bytes() ? bytes_total : items_total; }
  };
  struct Sample {
    SteadyTime time;
    std::int64_t done;
  };

  Amount amount_of(const api::OperationStatus& status) const;
  void begin_step(SteadyTime now, const api::OperationStatus& status);
  /// The longest time between two samples.
  Duration longest_gap() const;
  bool stalls() const;
  /// Per second, over the `window` before the last sample, or more when samples are rare; nullopt while that is shorter
  /// than `basis`.
  std::optional<double> rate(Duration window, Duration basis) const;
  std::optional<std::chrono::seconds> time_left() const;
  std::string numbers() const;

  std::string operation_;
  api::StepStatus step_;
  std::int64_t attempt_ = 0;
  SteadyTime now_{};  // of the latest status
  SteadyTime step_began_{};
  SteadyTime total_since_{};
  Amount current_;
  std::deque<Sample> samples_;  // one for each change of the numbers; never empty once there was a status
};

/// One line for each step as it begins, with the time that the one before took:
///   step 9 of 10: upload (step 8 took 3.2 s)
/// A step that began and ended between two statuses has none: a status names only the step under way.
class StepLines {
 public:
  /// The line to print now, if a step has begun.
  std::optional<std::string> observe(SteadyTime now, const api::OperationStatus& status);

 private:
  std::optional<api::StepStatus> step_;
  std::int64_t attempt_ = 0;
  SteadyTime began_{};
};

}  // namespace cherax::cli
