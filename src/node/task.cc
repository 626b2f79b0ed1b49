#include "node/task.h"

#include "base/log.h"

namespace cherax::node {

Task::Watch::Watch(Task& task, std::function<api::Progress()> now) : task_(task) {
  std::scoped_lock lock{task_.mutex_};
  task_.watch_ = std::move(now);
}

Task::Watch::~Watch() {
  std::scoped_lock lock{task_.mutex_};
  task_.result_.progress = task_.watch_();
  task_.watch_ = nullptr;
}

api::NodeResult Task::result() const {
  std::scoped_lock lock{mutex_};
  return result_locked();
}

api::NodeResult Task::result_locked() const {
  api::NodeResult result = result_;
  if (watch_) result.progress = watch_();
  return result;
}

api::NodeResult Task::final_result() const {
  api::NodeResult result = this->result();
  result.progress.final_ = true;
  return result;
}

struct Tasks::Entry {
  Entry(std::int64_t id, std::string name, std::string result_url, api::NodeResult result, Shape shape, Work work)
      : id(id),
        name(std::move(name)),
        result_url(std::move(result_url)),
        task(std::move(result)),
        shape(std::move(shape)),
        work(std::move(work)) {}

  std::int64_t id;
  std::string name;
  std::string result_url;
  Task task;
  Shape shape;
  Work work;
};

Tasks::Tasks(Identity identity, http::Client& client, Lock& lock)
    : identity_(std::move(identity)),
      client_(client),
      lock_(lock),
      thread_(std::make_unique<ThreadPool>("node-task", 1, 64)) {}

void Tasks::stop() {
  cancel();
  std::unique_ptr<ThreadPool> ending;
  {
    std::scoped_lock guard{mutex_};
    ending = std::move(thread_);
  }
}

std::int64_t Tasks::start(const std::string& name, const std::string& result_url, Shape shape, Work work) {
  std::scoped_lock guard{mutex_};
  auto entry =
      std::make_shared<Entry>(last_id_ + 1, name, result_url, api::NodeResult{identity_.hostname, identity_.az, {}, {}},
                              std::move(shape), std::move(work));
  if (!thread_ || !thread_->try_submit([this, entry] { run(*entry); })) {
    fail(ErrorKind::transient, "too many operations wait for one that does not stop");
  }
  if (latest_) latest_->task.stop_.request_stop();
  latest_ = by_name_[name] = std::move(entry);
  return ++last_id_;
}

std::optional<http::Body> Tasks::find(const std::string& name, std::int64_t id) {
  std::shared_ptr<Entry> entry;
  {
    std::scoped_lock guard{mutex_};
    const auto found = by_name_.find(name);
    if (found == by_name_.end() || found->second->id != id) return std::nullopt;
    entry = found->second;
  }
  std::scoped_lock guard{entry->task.mutex_};
  if (entry->task.body_) return entry->task.body_;
  return http::Body{json::to_text(entry->shape(entry->task.result_locked()))};
}

void Tasks::cancel() {
  std::scoped_lock guard{mutex_};
  if (latest_) latest_->task.stop_.request_stop();
}

void Tasks::run(Entry& entry) {
  const log::Context context{fmt::format("{} {}", entry.name, entry.id)};
  Task& task = entry.task;
  std::optional<http::Body> body;
  try {
    log::info("begins");
    body = entry.work(task);
    log::info("done");
  } catch (...) {
    const Error error = error_from(std::current_exception());
    log::error("failed: {}", error.message());
    std::scoped_lock guard{task.mutex_};
    task.result_.progress.failed += 1;
    task.result_.error = error.message();
  }
  entry.work = nullptr;  // what it holds is not needed any more
  {
    std::scoped_lock guard{task.mutex_};
    task.result_.progress.final_ = true;
    task.body_ = body ? *body : http::Body{json::to_text(entry.shape(task.result_))};
  }
  notify(entry);
}

void Tasks::notify(const Entry& entry) {
  {
    std::scoped_lock guard{mutex_};
    if (entry.result_url.empty() || latest_.get() != &entry || !lock_.holder()) return;
  }
  http::ClientRequest request;
  request.method = "PUT";
  request.url = entry.result_url;
  request.body = http::Body{json::to_text(entry.task.result())};
  request.headers.add("Connection", "close");
  request.deadline = Deadline::in(std::chrono::seconds{10});
  client_.send(std::move(request));
}

}  // namespace cherax::node
