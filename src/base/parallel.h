#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/error.h"

namespace cherax {

/// Calls `work(item)` for every item that `next()` yields (a std::optional, empty at the end) on at most `workers`
/// threads, and returns when all are done. `next` runs under a mutex, so it may be any single-threaded generator: an
/// item exists only when a worker is free, which bounds memory. The first failure of either stops the taking of further
/// items and is rethrown after all workers have ended; `stop` does the same as Error{cancelled}.
/// `make_worker()` is called once on each thread and returns that thread's `work`, which may own a connection or
/// buffer.
template <class Next, class MakeWorker>
void parallel_for_with(std::size_t workers, std::stop_token stop, Next&& next, MakeWorker&& make_worker) {
  std::mutex mutex;
  std::exception_ptr failure;
  bool ended = false;

  const auto take = [&]() -> decltype(next()) {
    std::scoped_lock lock{mutex};
    if (ended || failure) return {};
    if (stop.stop_requested()) fail(ErrorKind::cancelled, "cancelled");
    auto item = next();
    if (!item) ended = true;
    return item;
  };
  const auto run = [&] {
    try {
      auto work = make_worker();
      while (auto item = take()) work(*std::move(item));
    } catch (...) {
      std::scoped_lock lock{mutex};
      if (!failure) failure = std::current_exception();
    }
  };

  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < std::max<std::size_t>(workers, 1); ++i) threads.emplace_back(run);
    run();
  }
  if (failure) std::rethrow_exception(failure);
}

template <class Next, class Work>
void parallel_for(std::size_t workers, std::stop_token stop, Next&& next, Work&& work) {
  parallel_for_with(workers, std::move(stop), next,
                    [&] { return [&](auto&& item) { work(std::forward<decltype(item)>(item)); }; });
}

/// The same over the elements of a container, by reference.
template <class Container, class Work>
void parallel_for_each(std::size_t workers, std::stop_token stop, Container& container, Work&& work) {
  auto position = container.begin();
  const auto next = [&]() -> std::optional<decltype(&*position)> {
    if (position == container.end()) return std::nullopt;
    return &*position++;
  };
  parallel_for(std::min(workers, container.size()), std::move(stop), next, [&](auto* element) { work(*element); });
}

}  // namespace cherax
