#include "coordinator/plan.h"

#include <algorithm>

namespace cherax::coordinator {

Plan::Plan(StepList steps, const std::optional<std::string>& stop_after, PlanObserver& observer, std::stop_token stop)
    : steps_(steps), stop_after_(find(steps, stop_after)), observer_(observer), stop_(std::move(stop)) {}

const StepName* Plan::find(StepList steps, const std::optional<std::string>& stop_after) {
  if (!stop_after || stop_after->empty()) return nullptr;
  const auto named = [&](const StepName* step) { return step->astacus == *stop_after || step->shown == *stop_after; };
  const auto found = std::ranges::find_if(steps, named);
  if (found != steps.end()) return *found;
  std::string known;
  for (const StepName* step : steps) known += fmt::format("{}{}", known.empty() ? "" : ", ", step->astacus);
  fail(ErrorKind::invalid, "no step is called \"{}\"; the steps are {}", *stop_after, known);
}

void Plan::begin(const StepName& name) {
  if (next_ >= steps_.size() || steps_[next_] != &name) {
    fail(ErrorKind::internal, "step \"{}\" is run out of the documented order", name.shown);
  }
  if (stop_.stop_requested()) fail(ErrorKind::cancelled, "cancelled before \"{}\"", name.shown);
  const auto status = status_of(next_++);
  log::info("step {} of {}: {}", status.number, status.count, status.name);
  observer_.step_begins(status);
}

void Plan::end(const StepName& name) {
  if (stop_after_ == &name) throw PlanStopped{};
}

void Plan::rewind(const StepName& first, std::int64_t attempt) {
  next_ = static_cast<std::size_t>(std::ranges::find(steps_, &first) - steps_.begin());
  if (next_ == steps_.size()) fail(ErrorKind::internal, "step \"{}\" is not a documented one", first.shown);
  observer_.goes_back(attempt, status_of(next_));
}

api::StepStatus Plan::status_of(std::size_t index) const {
  return {std::string{steps_[index]->shown}, static_cast<std::int64_t>(index + 1),
          static_cast<std::int64_t>(steps_.size())};
}

}  // namespace cherax::coordinator
