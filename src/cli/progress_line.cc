#include "cli/progress_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "cli/human.h"
#include "cli/text.h"
#include "snapshot/relative_path.h"

namespace cherax::cli {

using std::chrono::seconds;

namespace {

constexpr Duration kRateWindow = seconds{5};
constexpr Duration kRateBasis = seconds{1};
constexpr Duration kEstimateWindow = seconds{30};
constexpr Duration kEstimateBasis = seconds{5};
constexpr Duration kLongestFirstGap = std::chrono::minutes{1};  // poll.delay_max of a coordinator, unless configured
constexpr double kLongestEstimate = 100 * 86'400.0;
constexpr std::size_t kShortestName = 8;

double in_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

std::string shortened(std::string_view text, std::size_t width) {
  if (width_of(text) <= width) return std::string{text};
  return std::string{cut(text, width - 2)} + "..";
}

bool same_step(const api::StepStatus& left, const api::StepStatus& right) {
  return left.number == right.number && left.name == right.name;
}

}  // namespace

void ProgressLine::observe(SteadyTime now, const api::OperationStatus& status) {
  now_ = now;
  const auto step = status.step.value_or(api::StepStatus{});
  if (samples_.empty() || !same_step(step, step_) || status.attempt != attempt_) begin_step(now, status);

  const Amount current = amount_of(status);
  if (current.total() != current_.total()) total_since_ = now;
  if (current.in_bytes() != current_.in_bytes() || current.done() < current_.done()) samples_.clear();
  const bool fresh = samples_.empty() || current != current_;
  current_ = current;
  if (!fresh) return;

  if (!samples_.empty() && stalls()) samples_.clear();  // the time of a stall is not that of the work that goes on
  samples_.push_back({now, current_.done()});
  while (samples_.size() > 2 && now - samples_[1].time >= kEstimateWindow) samples_.pop_front();
}

ProgressLine::Amount ProgressLine::amount_of(const api::OperationStatus& status) const {
  const auto progress = (status.step ? status.step->progress : status.progress).value_or(api::Progress{});
  const auto counted = [](std::int64_t number) { return std::max<std::int64_t>(number, 0); };
  Amount amount{counted(progress.handled), counted(progress.total), counted(progress.bytes),
                counted(progress.bytes_total)};
  // A restore counts 1 + size for each file.
  if (operation_ == "restore" && amount.in_bytes()) {
    amount.items = counted(amount.items - amount.bytes);
    amount.items_total = counted(amount.items_total - amount.bytes_total);
  }
  return amount;
}

void ProgressLine::begin_step(SteadyTime now, const api::OperationStatus& status) {
  step_ = status.step.value_or(api::StepStatus{});
  step_.name = snapshot::printable(step_.name);
  attempt_ = status.attempt;
  step_began_ = total_since_ = now;
  current_ = {};
  samples_.clear();
}

Duration ProgressLine::longest_gap() const {
  Duration longest{};
  for (std::size_t i = 1; i < samples_.size(); ++i) {
    longest = std::max(longest, samples_[i].time - samples_[i - 1].time);
  }
  return longest;
}

bool ProgressLine::stalls() const {
  // A coordinator's polls grow apart: by default, each comes after twice the time of the one before.
  const auto next_gap = samples_.size() < 2 ? kLongestFirstGap : 2 * longest_gap();
  return now_ - samples_.back().time > next_gap + kRateWindow;
}

std::optional<double> ProgressLine::rate(Duration window, Duration basis) const {
  if (stalls()) return 0;
  const Sample& last = samples_.back();
  // Some numbers are fresh for one node only: the window has to have fresh ones of all.
  window = std::max(window, longest_gap());
  const auto is_old = [&](const Sample& sample) { return last.time - sample.time >= window; };
  const auto old = std::ranges::find_if(samples_.rbegin(), samples_.rend(), is_old);
  const Sample& first = old == samples_.rend() ? samples_.front() : *old;
  const auto time = last.time - first.time;
  if (time < basis) return std::nullopt;
  return static_cast<double>(last.done - first.done) / in_seconds(time);
}

std::optional<seconds> ProgressLine::time_left() const {
  const auto rest = current_.total() - current_.done();
  const auto& last = samples_.back().time;
  if (rest <= 0 || last - total_since_ < kEstimateBasis) return std::nullopt;
  const auto average = rate(kEstimateWindow, kEstimateBasis);
  if (!average || *average <= 0) return std::nullopt;
  const double left = static_cast<double>(rest) / *average - in_seconds(now_ - last);
  if (left <= 0 || left > kLongestEstimate) return std::nullopt;
  return seconds{static_cast<std::int64_t>(std::ceil(left))};
}

std::string ProgressLine::numbers() const {
  std::string text;
  if (samples_.empty()) return text;
  const auto append = [&](const std::string& part) { text += ", " + part; };
  if (current_.in_bytes()) {
    append(fmt::format("{} of {} files", current_.items, current_.items_total));
    append(fmt::format("{} of {}", format_size(current_.bytes), format_size(current_.bytes_total)));
    if (const auto now = rate(kRateWindow, kRateBasis)) {
      append(format_size(static_cast<std::int64_t>(*now)) + "/s");
    }
  } else if (current_.items_total > 0) {
    append(fmt::format("{} of {}", current_.items, current_.items_total));
  } else if (now_ - step_began_ >= seconds{1}) {
    append(format_duration(std::chrono::floor<seconds>(now_ - step_began_)));
  }
  if (const auto left = time_left()) append(format_estimate(*left) + " left");
  return text;
}

std::string ProgressLine::text(std::size_t columns) const {
  const std::string head = step_.count > 0 ? fmt::format("[{}/{}] ", step_.number, step_.count) : "";
  const std::string& name = step_.name.empty() ? operation_ : step_.name;
  const std::string tail = (attempt_ > 1 ? fmt::format(", attempt {}", attempt_) : "") + numbers();
  const auto fixed = width_of(head) + width_of(tail);
  const auto room = columns > fixed ? columns - fixed : 0;
  return std::string{cut(head + shortened(name, std::max(room, kShortestName)) + tail, columns)};
}

std::optional<std::string> StepLines::observe(SteadyTime now, const api::OperationStatus& status) {
  if (!status.step) return std::nullopt;
  const api::StepStatus& step = *status.step;
  if (step_ && same_step(step, *step_) && status.attempt == attempt_) return std::nullopt;
  auto line = fmt::format("step {} of {}: {}", step.number, step.count, snapshot::printable(step.name));
  if (status.attempt > 1) line += fmt::format(", attempt {}", status.attempt);
  if (step_) line += fmt::format(" (step {} took {})", step_->number, format_elapsed(now - began_));
  step_ = step;
  attempt_ = status.attempt;
  began_ = now;
  return line;
}

}  // namespace cherax::cli
