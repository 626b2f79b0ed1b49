#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "coordinator/cluster.h"
#include "coordinator/lock.h"
#include "coordinator/operation.h"
#include "coordinator/plugin.h"
#include "http/router.h"
#include "repository/storages.h"

namespace cherax::coordinator {

/// The coordinator API: what users and the command line ask of any one server. Any thread.
class Coordinator {
 public:
  Coordinator(CoordinatorOptions options, std::unique_ptr<Plugin> plugin, repository::Storages& storages,
              http::Client& client, Clock& clock);

  void add_routes(http::Router& router);
  /// When the server has begun to serve: unlocks what a killed coordinator held, for as long as its locks may live
  /// where a node cannot be told at first. Does not throw. An operation begins with a try of its own.
  void keep_releasing_leftover_locks(std::stop_token stop);
  /// Cancels operations and waits until they have unlocked the nodes.
  void stop() { operations_.stop(); }

 private:
  using OperationWork = std::function<void(Operation&, ClusterLock&)>;

  // routes.cc
  void add_operation_routes(http::Router& router);
  http::Response start_backup(const http::Request& request);
  http::Response start_restore(const http::Request& request);
  http::Response start_cleanup(const http::Request& request);
  http::Response lock(const http::Request& request);
  http::Response unlock(const http::Request& request);
  std::shared_ptr<Operation> named_operation(const http::Request& request);
  http::Response status(const http::Request& request);
  http::Response sub_result(const http::Request& request);

  // coordinator.cc
  bool release_leftover_locks();  // false: some node could not be told
  std::shared_ptr<Operation> start_locked(const std::string& name, const http::Request& request, OperationWork work);
  void run_backup(Operation& operation, ClusterLock& lock);
  void run_restore(Operation& operation, ClusterLock& lock, const api::RestoreRequest& request);

  // list.cc
  http::Response list(const http::Request& request);
  api::StorageList summarize(repository::Repository& storage);

  // cleanup.cc
  void run_cleanup(Operation& operation, const api::CleanupRequest& request);

  const CoordinatorOptions options_;
  std::unique_ptr<Plugin> plugin_;
  repository::Storages& storages_;
  Clock& clock_;
  Cluster cluster_;
  http::Client lock_client_;  // so that locks never wait behind data
  Cluster lock_cluster_;
  LockFile lock_file_;
  std::mutex leftovers_mutex_;
  std::optional<std::vector<std::string>> leftovers_;  // lockers of an earlier coordinator that may still hold locks

  /// Of the backups that there were at the last list: a manifest never changes, so it is read once. Whoever computes a
  /// list holds the mutex.
  std::mutex list_mutex_;
  std::map<std::string, std::map<repository::BackupName, api::ListEntry>> summaries_;

  Operations operations_;  // last: their threads use the others
};

}  // namespace cherax::coordinator
