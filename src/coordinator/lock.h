#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "coordinator/cluster.h"

namespace cherax::coordinator {

/// Not every node could be locked. Nothing is locked by us any more.
struct LockUnavailable {
  std::vector<api::LockHolder> holders;  ///< who holds the nodes that answered so
  std::string reason;                    ///< of the first node that did not lock
};

/// The lockers of this coordinator that may hold locks, in a file (one a line): what a killed coordinator left can be
/// unlocked at its next start. Any thread.
class LockFile {
 public:
  explicit LockFile(std::filesystem::path path) : path_(std::move(path)) {}
  void add(const std::string& locker);
  void remove(const std::string& locker);
  std::vector<std::string> lockers();

 private:
  std::vector<std::string> read() const;
  void write(const std::vector<std::string>& lockers) const;

  std::mutex mutex_;
  std::filesystem::path path_;
};

/// A lock on every node, kept by a thread of its own: relocked at half of its time to live, on all nodes in parallel.
/// A node that is not reached is asked again every tenth of it until its lock has expired. Nobody's lock is ever
/// stolen.
class ClusterLock {
 public:
  struct Options {
    std::string locker;
    std::chrono::milliseconds time_to_live;
    /// Called once, from the keeper's thread, when a node's lock is lost.
    std::function<void(const std::string& reason)> on_lost;
  };

  /// Throws LockUnavailable.
  ClusterLock(const Cluster& cluster, LockFile& lock_file, Clock& clock, Options options);
  /// Unlocks; a node that cannot be reached is left to its time to live.
  ~ClusterLock();
  ClusterLock(const ClusterLock&) = delete;
  ClusterLock& operator=(const ClusterLock&) = delete;

  /// Extends the lock on every node now. Error{cancelled} when one of them is lost or cannot be reached.
  void relock();

  /// Ends what a killed coordinator left: unlocks that locker on every node. False, and it stays in `lock_file`, when a
  /// node could not be told.
  static bool release_leftover(const Cluster& cluster, LockFile& lock_file, const std::string& locker);
  /// Astacus' `/lock` and `/unlock`: a lock that somebody keeps by hand, on every node. lock() throws LockUnavailable.
  static void lock(const Cluster& cluster, const std::string& locker, std::chrono::milliseconds time_to_live);
  static void unlock(const Cluster& cluster, const std::string& locker);

 private:
  enum class Extension { done, unreachable, lost };
  Extension extend(std::string& problem);
  void keep(std::stop_token stop);

  const Cluster& cluster_;
  LockFile& lock_file_;
  Clock& clock_;
  Options options_;
  std::mutex mutex_;  // of the members below
  std::vector<SteadyTime> expires_;
  std::jthread keeper_;
};

}  // namespace cherax::coordinator
