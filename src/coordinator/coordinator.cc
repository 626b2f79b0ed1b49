#include "coordinator/coordinator.h"

#include <unistd.h>

#include <array>
#include <random>

#include "base/log.h"
#include "http/json_body.h"

namespace cherax::coordinator {

namespace {

/// Distinct for every operation of every coordinator: `<hostname>-<random number>`.
std::string make_locker() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  std::random_device random;
  return fmt::format("{}-{}", name.data(), (static_cast<std::uint64_t>(random()) << 16) ^ random());
}

[[noreturn]] void refuse_unlocked(const LockUnavailable& unavailable) {
  log::warning("no operation begins: {}", unavailable.reason);
  json::object detail{{"code", "cluster_lock_unavailable"},
                      {"message", "Unable to acquire cluster lock to create operation"}};
  json::object body{
      {"detail", std::move(detail)}, {"holders", json::to_value(unavailable.holders)}, {"reason", unavailable.reason}};
  throw http::ResponseError{http::Response::json(json::to_text(body), 409)};
}

}  // namespace

Coordinator::Coordinator(CoordinatorOptions options, std::unique_ptr<Plugin> plugin, repository::Storages& storages,
                         http::Client& client, Clock& clock)
    : options_(std::move(options)),
      plugin_(std::move(plugin)),
      storages_(storages),
      clock_(clock),
      cluster_(options_, client),
      lock_client_({.spool_directory = options_.temporary_directory, .maximum_transfers = options_.fan_out}),
      lock_cluster_(options_, lock_client_),
      lock_file_(options_.db_path / "coordinator.lock") {}

bool Coordinator::release_leftover_locks() {
  std::scoped_lock lock{leftovers_mutex_};
  try {
    if (!leftovers_) leftovers_ = lock_file_.lockers();
    std::erase_if(*leftovers_, [this](const std::string& locker) {
      return ClusterLock::release_leftover(lock_cluster_, lock_file_, locker);
    });
  } catch (const Error& error) {
    log::error("unlocking what an earlier coordinator left: {}", error.message());
    leftovers_.emplace();
  }
  return leftovers_->empty();
}

void Coordinator::keep_releasing_leftover_locks(std::stop_token stop) {
  constexpr std::chrono::seconds kBetweenTries{1};
  const SteadyTime end = clock_.steady() + options_.default_lock_ttl;
  while (!release_leftover_locks() && clock_.steady() < end && clock_.sleep_for(kBetweenTries, stop)) {
  }
}

std::shared_ptr<Operation> Coordinator::start_locked(const std::string& name, const http::Request& request,
                                                     OperationWork work) {
  release_leftover_locks();
  auto operation = operations_.create(name, "http://" + request.host);
  std::shared_ptr<ClusterLock> lock;
  try {
    lock = std::make_shared<ClusterLock>(
        lock_cluster_, lock_file_, clock_,
        ClusterLock::Options{make_locker(), options_.default_lock_ttl,
                             [weak = std::weak_ptr{operation}](const std::string& reason) {
                               if (const auto alive = weak.lock()) alive->cancel(reason);
                             }});
  } catch (const LockUnavailable& unavailable) {
    operation->fail(unavailable.reason);
    operation->set_state(api::OperationState::fail);
    refuse_unlocked(unavailable);
  }
  operations_.launch(operation, [lock = std::move(lock), work = std::move(work)](Operation& running) mutable {
    const auto held = std::move(lock);  // unlocked when the work is over, before the operation shows as done or failed
    work(running, *held);
  });
  return operation;
}

void Coordinator::run_backup(Operation& operation, ClusterLock& lock) {
  for (std::int64_t attempt = 1;; ++attempt) {
    operation.set_attempt(attempt);
    try {
      Plan plan{plugin_->backup_steps(), std::nullopt, operation, operation.stop()};
      Backup backup{{cluster_, operation, plan, lock, clock_}, storages_.default_storage(), attempt};
      plugin_->backup(backup);
      return;
    } catch (const Error& error) {
      operation.throw_if_cancelled();
      if (attempt >= options_.backup_attempts || error.kind() == ErrorKind::cancelled) throw;
      log::warning("attempt {} of {} failed: {}", attempt, options_.backup_attempts, error.message());
    }
  }
}

void Coordinator::run_restore(Operation& operation, ClusterLock& lock, const api::RestoreRequest& request) {
  operation.set_attempt(1);
  Plan plan{plugin_->restore_steps(), request.stop_after_step, operation, operation.stop()};
  Restore restore{{cluster_, operation, plan, lock, clock_}, storages_.find(request.storage), request};
  try {
    plugin_->restore(restore);
  } catch (const PlanStopped&) {
    log::info("stopped after the step that was asked for");
  }
}

}  // namespace cherax::coordinator
