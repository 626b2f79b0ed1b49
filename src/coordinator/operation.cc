#include "coordinator/operation.h"

#include <algorithm>

namespace cherax::coordinator {

namespace {

constexpr std::size_t kRemembered = 16;

void add(api::Progress& sum, const api::Progress& part) {
  sum.handled += part.handled;
  sum.failed += part.failed;
  sum.total += part.total;
  sum.bytes += part.bytes;
  sum.bytes_total += part.bytes_total;
}

}  // namespace

Operation::Operation(std::int64_t id, std::string name, std::string base_url)
    : id_(id), name_(std::move(name)), base_url_(std::move(base_url)) {
  if (name_ == "backup" || name_ == "restore") status_.progress = api::Progress{.final_ = true};
}

std::string Operation::result_url(std::size_t node) const {
  return fmt::format("{}/sub-result?node={}", status_url(), node);
}

api::OperationStatus Operation::status() const {
  std::scoped_lock lock{mutex_};
  return status_;
}

void Operation::set_state(api::OperationState state) {
  std::scoped_lock lock{mutex_};
  status_.state = state;
  if (status_.progress && (state == api::OperationState::done || state == api::OperationState::fail)) {
    status_.progress->final_ = true;
  }
}

void Operation::set_attempt(std::int64_t attempt) {
  std::scoped_lock lock{mutex_};
  status_.attempt = attempt;
  status_.step.reset();
  forget_from(0);
}

void Operation::set_backup(const std::string& name) {
  std::scoped_lock lock{mutex_};
  status_.backup = name;
}

void Operation::fail(const std::string& error) {
  std::scoped_lock lock{mutex_};
  status_.error = error;
}

void Operation::step_begins(const api::StepStatus& step) {
  std::scoped_lock lock{mutex_};
  status_.step = step;
}

void Operation::step_progresses(const api::Progress& progress) {
  std::scoped_lock lock{mutex_};
  if (status_.step) status_.step->progress = progress;
  of_steps_[status_.step ? status_.step->number : 0] = progress;
  sum_up();
}

void Operation::goes_back(std::int64_t attempt, const api::StepStatus& first) {
  std::scoped_lock lock{mutex_};
  status_.attempt = attempt;
  status_.step = first;
  forget_from(first.number);
}

void Operation::forget_from(std::int64_t step) {
  const auto first = of_steps_.lower_bound(step);
  if (first == of_steps_.end()) return;  // Astacus' progress is final until a step has some
  of_steps_.erase(first, of_steps_.end());
  sum_up();
}

void Operation::sum_up() {
  if (!status_.progress) return;
  status_.progress.emplace();
  for (const auto& [step, progress] : of_steps_) add(*status_.progress, progress);
}

void Operation::cancel(const std::string& reason) {
  {
    std::scoped_lock lock{mutex_};
    if (cancel_reason_.empty()) cancel_reason_ = reason;
  }
  stop_.request_stop();
}

void Operation::throw_if_cancelled() const {
  if (!stop_.stop_requested()) return;
  std::scoped_lock lock{mutex_};
  throw Error{ErrorKind::cancelled, cancel_reason_};
}

Error Operation::cause_of(Error error) const {
  if (error.kind() != ErrorKind::cancelled || !stop_.stop_requested()) return error;
  std::scoped_lock lock{mutex_};
  const bool says_it = error.message().find(cancel_reason_) != std::string::npos;
  return says_it ? error : error.in_context(cancel_reason_);
}

void Operation::wake(std::size_t node) {
  {
    std::scoped_lock lock{mutex_};
    woken_.insert(node);
  }
  changed_.notify_all();
}

std::set<std::size_t> Operation::wait(Duration duration) {
  std::unique_lock lock{mutex_};
  changed_.wait_for(lock, stop_.get_token(), duration, [this] { return !woken_.empty(); });
  return std::exchange(woken_, {});
}

void Operations::stop() {
  std::vector<Running> running;
  {
    std::scoped_lock lock{mutex_};
    stopping_ = true;
    running = std::move(running_);
  }
  for (const Running& one : running) one.operation->cancel("the server is stopping");
}

std::shared_ptr<Operation> Operations::create(const std::string& name, const std::string& base_url) {
  std::scoped_lock lock{mutex_};
  const auto id = ++last_id_;
  auto operation = std::make_shared<Operation>(id, name, base_url);
  remembered_.emplace(id, operation);
  const auto is_over = [](const auto& entry) {
    const auto state = entry.second->status().state;
    return state == api::OperationState::done || state == api::OperationState::fail;
  };
  while (remembered_.size() > kRemembered) {
    const auto oldest = std::ranges::find_if(remembered_, is_over);
    if (oldest == remembered_.end()) break;
    remembered_.erase(oldest);
  }
  return operation;
}

void Operations::launch(const std::shared_ptr<Operation>& operation, std::function<void(Operation&)> work) {
  std::scoped_lock lock{mutex_};
  if (stopping_) cherax::fail(ErrorKind::cancelled, "the server is stopping");
  std::erase_if(running_, [](const Running& one) {
    const auto state = one.operation->status().state;
    return state == api::OperationState::done || state == api::OperationState::fail;
  });
  operation->set_state(api::OperationState::running);
  auto run = [operation, work = std::move(work)] {
    const log::Context context{fmt::format("{} {}", operation->name(), operation->id())};
    try {
      work(*operation);
      log::info("done");
      operation->set_state(api::OperationState::done);
    } catch (...) {
      const Error error = operation->cause_of(error_from(std::current_exception()));
      log::error("failed: {}", error.message());
      operation->fail(error.message());
      operation->set_state(api::OperationState::fail);
    }
  };
  running_.push_back({operation, std::jthread{std::move(run)}});
}

std::shared_ptr<Operation> Operations::find(std::string_view name, std::int64_t id) {
  std::scoped_lock lock{mutex_};
  const auto found = remembered_.find(id);
  return found != remembered_.end() && found->second->name() == name ? found->second : nullptr;
}

bool Operations::busy() const {
  std::scoped_lock lock{mutex_};
  return std::ranges::any_of(running_, [](const Running& one) {
    const auto state = one.operation->status().state;
    return state == api::OperationState::starting || state == api::OperationState::running;
  });
}

}  // namespace cherax::coordinator
