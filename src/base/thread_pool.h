#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace cherax {

/// A fixed number of threads and a bounded queue of jobs. Destruction runs what is queued, then joins.
/// A job must not throw: it is the outermost frame.
class ThreadPool {
 public:
  ThreadPool(std::string name, std::size_t threads, std::size_t queue_bound);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// False when the queue is full or the pool is ending: the caller refuses the work.
  [[nodiscard]] bool try_submit(std::function<void()> job);

 private:
  void run();

  const std::size_t queue_bound_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  bool ending_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace cherax
