#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "api/messages.h"
#include "base/thread_pool.h"
#include "http/client.h"
#include "http/message.h"
#include "node/lock.h"

namespace cherax::node {

/// A node operation under way, as the code that does it sees it. Any thread.
class Task {
 public:
  explicit Task(api::NodeResult result) : result_(std::move(result)) {}

  std::stop_token stop() const { return stop_.get_token(); }
  /// While it lives, the progress is what `now` says, asked whenever somebody looks. `now` must not block.
  class Watch {
   public:
    Watch(Task& task, std::function<api::Progress()> now);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    Task& task_;
  };

  /// hostname, az and the progress so far.
  api::NodeResult result() const;
  /// The same as its final result will say it: with `final`, and everything handled that was not failed.
  api::NodeResult final_result() const;

 private:
  friend class Tasks;

  api::NodeResult result_locked() const;

  mutable std::mutex mutex_;
  api::NodeResult result_;
  std::function<api::Progress()> watch_;
  std::optional<http::Body> body_;  // set when it has ended
  std::stop_source stop_;
};

/// The result's JSON while the operation runs and after a failure: Astacus' shape for the operation with what is not
/// known yet at its default.
using Shape = std::function<json::value(const api::NodeResult&)>;
/// Does the operation and returns its whole final result. Failures are thrown.
using Work = std::function<http::Body(Task&)>;

/// Runs a node's operations one after another on a thread of their own. Starting one asks the one under way to stop: it
/// belongs to an attempt that its coordinator has given up. Any thread.
class Tasks {
 public:
  struct Identity {
    std::string hostname;
    std::string az;
  };
  Tasks(Identity identity, http::Client& client, Lock& lock);
  ~Tasks() { stop(); }

  /// Returns the operation's id. When it has ended, `result_url`, if not empty, is sent its NodeResult to wake the
  /// coordinator; nobody minds if that fails. Error{transient} when too many wait for one that does not stop.
  std::int64_t start(const std::string& name, const std::string& result_url, Shape shape, Work work);
  /// The result so far of the latest operation of that name, if it has that id.
  std::optional<http::Body> find(const std::string& name, std::int64_t id);
  /// Asks the operation under way to stop.
  void cancel();
  /// The same, and waits until all have ended. Nothing starts any more.
  void stop();

 private:
  struct Entry;
  void run(Entry& entry);
  void notify(const Entry& entry);

  Identity identity_;
  http::Client& client_;
  Lock& lock_;
  std::mutex mutex_;
  std::int64_t last_id_ = 0;
  std::shared_ptr<Entry> latest_;
  std::map<std::string, std::shared_ptr<Entry>> by_name_;
  std::unique_ptr<ThreadPool> thread_;
};

}  // namespace cherax::node
