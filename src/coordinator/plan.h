#pragma once

#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "api/messages.h"
#include "base/error.h"
#include "base/log.h"

namespace cherax::coordinator {

/// One documented step of an operation. Plugins declare them as constants and list them in order; a step is known by
/// its address.
struct StepName {
  std::string_view shown;    ///< "require one schema hash"
  std::string_view astacus;  ///< "RetrieveSchemaHashStep": what `stop_after_step` says
};
using StepList = std::span<const StepName* const>;

/// Who wants to know what the plan is doing.
class PlanObserver {
 public:
  virtual ~PlanObserver() = default;
  virtual void step_begins(const api::StepStatus& step) = 0;
  /// Of the step under way; replaces what it said before.
  virtual void step_progresses(const api::Progress& progress) = 0;
  /// An attempt has failed, and the next one begins at this step.
  virtual void goes_back(std::int64_t attempt, const api::StepStatus& first) = 0;
};

/// Thrown by Plan::step when the step that the user named has been done: the operation ends as `done`.
struct PlanStopped {};

/// Runs an operation's steps: gives each its name in the log, in errors and in the status, ends between steps when the
/// operation is cancelled, and after the step that the user named. It insists that the code runs the steps in the order
/// of the documented list, leaving none out. Used by the operation's thread only.
class Plan {
 public:
  /// Error{invalid} when no step is called `stop_after` (by either of its names).
  Plan(StepList steps, const std::optional<std::string>& stop_after, PlanObserver& observer, std::stop_token stop);

  /// Error{invalid} when no step is called `stop_after`; nothing and "" are fine.
  static void require_known(StepList steps, const std::optional<std::string>& stop_after) { find(steps, stop_after); }

  template <class Work>
  decltype(auto) step(const StepName& name, Work&& work) {
    begin(name);
    const log::Context context{name.shown};
    const auto run = [&]() -> decltype(auto) { return in_context(name.shown, std::forward<Work>(work)); };
    if constexpr (std::is_void_v<decltype(work())>) {
      run();
      end(name);
    } else {
      auto result = run();
      end(name);
      return result;
    }
  }

  /// Runs `work`, which begins with the step `first`, up to `attempts` times: a failed attempt begins again at `first`.
  /// Cancellation and PlanStopped end it at once.
  template <class Work>
  void attempts(std::int64_t attempts, const StepName& first, Work&& work) {
    for (std::int64_t attempt = 1;; ++attempt) {
      try {
        work();
        return;
      } catch (const Error& error) {
        if (attempt >= attempts || error.kind() == ErrorKind::cancelled) throw;
        log::warning("attempt {} of {} failed, again from \"{}\": {}", attempt, attempts, first.shown, error.message());
        rewind(first, attempt + 1);
      }
    }
  }

  /// From within a step: what it has done so far.
  void progress(const api::Progress& progress) { observer_.step_progresses(progress); }
  std::stop_token stop() const { return stop_; }

 private:
  static const StepName* find(StepList steps, const std::optional<std::string>& stop_after);
  void begin(const StepName& name);
  void end(const StepName& name);
  void rewind(const StepName& first, std::int64_t attempt);
  api::StepStatus status_of(std::size_t index) const;

  StepList steps_;
  const StepName* stop_after_;
  PlanObserver& observer_;
  std::stop_token stop_;
  std::size_t next_ = 0;
};

}  // namespace cherax::coordinator
