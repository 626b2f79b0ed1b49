#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "api/messages.h"
#include "base/clock.h"
#include "coordinator/plan.h"

namespace cherax::coordinator {

/// One operation of the coordinator as its status shows it. Any thread.
class Operation final : public PlanObserver {
 public:
  /// `base_url`: this coordinator as the user named it, for the URLs given to nodes.
  Operation(std::int64_t id, std::string name, std::string base_url);

  std::int64_t id() const { return id_; }
  const std::string& name() const { return name_; }
  std::string status_url() const { return base_url_ + "/" + name_ + "/" + std::to_string(id_); }
  /// Where a node reports that it has ended: wakes the poller for that node.
  std::string result_url(std::size_t node) const;

  api::OperationStatus status() const;
  void set_state(api::OperationState state);
  /// One that begins with the first step.
  void set_attempt(std::int64_t attempt);
  void set_backup(const std::string& name);
  void fail(const std::string& error);

  void step_begins(const api::StepStatus& step) override;
  /// The status shows the sum of all steps' progress.
  void step_progresses(const api::Progress& progress) override;
  /// What was done from that step on counts no more.
  void goes_back(std::int64_t attempt, const api::StepStatus& first) override;

  /// Asks the operation to end, and says why.
  void cancel(const std::string& reason);
  std::stop_token stop() const { return stop_.get_token(); }
  /// Error{cancelled} with the reason when cancel() was called.
  void throw_if_cancelled() const;
  /// What ended the operation: of a cancellation with its reason, which who notices one does not always know.
  Error cause_of(Error error) const;

  void wake(std::size_t node);
  /// Waits until a node woke it, `duration` has passed or the operation is cancelled. The nodes that did.
  std::set<std::size_t> wait(Duration duration);

 private:
  void forget_from(std::int64_t step);
  void sum_up();

  const std::int64_t id_;
  const std::string name_;
  const std::string base_url_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  api::OperationStatus status_;
  std::map<std::int64_t, api::Progress> of_steps_;  // by number
  std::set<std::size_t> woken_;
  std::string cancel_reason_;
  std::stop_source stop_;
};

/// The operations of this process: ids, threads and status. Any thread.
class Operations {
 public:
  ~Operations() { stop(); }

  std::shared_ptr<Operation> create(const std::string& name, const std::string& base_url);
  /// Runs `work` on a thread of its own. When it throws, the operation has failed; when it returns, it is done.
  void launch(const std::shared_ptr<Operation>& operation, std::function<void(Operation&)> work);
  /// nullptr unless that id belongs to an operation of that name that is still remembered.
  std::shared_ptr<Operation> find(std::string_view name, std::int64_t id);
  bool busy() const;
  /// Cancels what runs and waits for its end; nothing starts any more.
  void stop();

 private:
  struct Running {
    std::shared_ptr<Operation> operation;
    std::jthread thread;
  };

  mutable std::mutex mutex_;
  std::int64_t last_id_ = 0;
  bool stopping_ = false;
  std::map<std::int64_t, std::shared_ptr<Operation>> remembered_;
  std::vector<Running> running_;
};

}  // namespace cherax::coordinator
