#include "base/thread_pool.h"

#include <pthread.h>

#include <utility>

namespace cherax {

ThreadPool::ThreadPool(std::string name, std::size_t threads, std::size_t queue_bound) : queue_bound_(queue_bound) {
  name.resize(std::min<std::size_t>(name.size(), 15));  // the kernel's limit
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { run(); });
    ::pthread_setname_np(threads_.back().native_handle(), name.c_str());
  }
}

ThreadPool::~ThreadPool() {
  {
    std::scoped_lock lock{mutex_};
    ending_ = true;
  }
  changed_.notify_all();
}

bool ThreadPool::try_submit(std::function<void()> job) {
  {
    std::scoped_lock lock{mutex_};
    if (ending_ || queue_.size() >= queue_bound_) return false;
    queue_.push_back(std::move(job));
  }
  changed_.notify_one();
  return true;
}

void ThreadPool::run() {
  std::unique_lock lock{mutex_};
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || !queue_.empty(); });
    if (queue_.empty()) return;
    auto job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    job();
    job = nullptr;  // what the job owns is released outside the mutex
    lock.lock();
  }
}

}  // namespace cherax
