#include "coordinator/lock.h"

#include <algorithm>
#include <sstream>

#include "base/file.h"

namespace cherax::coordinator {

namespace {

std::string lock_path(std::string_view verb, const std::string& locker, std::chrono::milliseconds time_to_live) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(time_to_live).count();
  return fmt::format("{}?{}", verb, http::to_query({{"locker", locker}, {"ttl", std::to_string(seconds)}}));
}

bool is_locked(const Result<http::Response>& answer) {
  if (!answer || answer->status != 200) return false;
  try {
    return read_result<api::LockResult>(answer->body).locked;
  } catch (const Error&) {
    return false;
  }
}

/// Our nodes say who holds the lock; Astacus' do not.
std::optional<api::LockHolder> holder_in(const http::Response& response, const std::string& node) {
  const auto body = json::parse(response.body.text(http::kBodyInMemory));
  if (!body || !body->is_object()) return std::nullopt;
  const auto* holder = body->get_object().if_contains("holder");
  if (!holder) return std::nullopt;
  auto read = json::read<api::LockHolder>(*holder);
  if (!read) return std::nullopt;
  read->node = node;
  return *read;
}

}  // namespace

std::vector<std::string> LockFile::read() const {
  std::vector<std::string> lockers;
  if (!status_of(path_)) return lockers;
  std::istringstream text{read_text(path_, 64 * 1024)};
  for (std::string line; std::getline(text, line);) lockers.push_back(line);
  return lockers;
}

void LockFile::write(const std::vector<std::string>& lockers) const {
  if (lockers.empty()) {
    remove_if_exists(path_);
  } else {
    write_durably(path_, fmt::format("{}\n", fmt::join(lockers, "\n")));
  }
}

void LockFile::add(const std::string& locker) {
  std::scoped_lock lock{mutex_};
  auto lockers = read();
  lockers.push_back(locker);
  write(lockers);
}

void LockFile::remove(const std::string& locker) {
  std::scoped_lock lock{mutex_};
  auto lockers = read();
  std::erase(lockers, locker);
  write(lockers);
}

std::vector<std::string> LockFile::lockers() {
  std::scoped_lock lock{mutex_};
  return read();
}

ClusterLock::ClusterLock(const Cluster& cluster, LockFile& lock_file, Clock& clock, Options options)
    : cluster_(cluster), lock_file_(lock_file), clock_(clock), options_(std::move(options)), expires_(cluster.size()) {
  lock_file_.add(options_.locker);
  const auto asked = clock_.steady();
  try {
    lock(cluster_, options_.locker, options_.time_to_live);
  } catch (...) {
    lock_file_.remove(options_.locker);
    throw;
  }
  std::ranges::fill(expires_, asked + options_.time_to_live);
  keeper_ = std::jthread{[this](std::stop_token stop) { keep(stop); }};
}

ClusterLock::~ClusterLock() {
  keeper_ = {};
  try {
    unlock(cluster_, options_.locker);
    lock_file_.remove(options_.locker);
  } catch (const std::exception& error) {
    log::warning("unlocking: {}", error.what());
  }
}

void ClusterLock::relock() {
  std::string problem;
  if (extend(problem) != Extension::done)
    fail(ErrorKind::cancelled, "the cluster lock is not certain any more: {}", problem);
}

ClusterLock::Extension ClusterLock::extend(std::string& problem) {
  const auto asked = clock_.steady();
  const auto answers = cluster_.ask_all("POST", lock_path("relock", options_.locker, options_.time_to_live));
  const auto now = clock_.steady();
  std::scoped_lock lock{mutex_};
  auto result = Extension::done;
  for (std::size_t node = 0; node < answers.size(); ++node) {
    if (is_locked(answers[node])) {
      expires_[node] = asked + options_.time_to_live;
      continue;
    }
    problem = fmt::format("{}: {}", cluster_.name(node),
                          answers[node] ? describe(*answers[node]) : answers[node].error().message());
    // An answer is the node's word; no answer leaves the lock in place until it expires.
    if (answers[node] || now >= expires_[node]) return Extension::lost;
    result = Extension::unreachable;
  }
  return result;
}

void ClusterLock::keep(std::stop_token stop) {
  auto pause = options_.time_to_live / 2;
  while (clock_.sleep_for(pause, stop)) {
    std::string problem;
    switch (extend(problem)) {
      case Extension::done:
        pause = options_.time_to_live / 2;
        break;
      case Extension::unreachable:
        log::warning("relocking, will be tried again: {}", problem);
        pause = options_.time_to_live / 10;
        break;
      case Extension::lost:
        options_.on_lost(fmt::format("the cluster lock is lost: {}", problem));
        return;
    }
  }
}

void ClusterLock::lock(const Cluster& cluster, const std::string& locker, std::chrono::milliseconds time_to_live) {
  const auto answers = cluster.ask_all("POST", lock_path("lock", locker, time_to_live));
  LockUnavailable unavailable;
  for (std::size_t node = 0; node < answers.size(); ++node) {
    if (is_locked(answers[node])) continue;
    if (unavailable.reason.empty()) {
      unavailable.reason = fmt::format("{} did not lock: {}", cluster.name(node),
                                       answers[node] ? describe(*answers[node]) : answers[node].error().message());
    }
    if (!answers[node]) continue;
    if (auto holder = holder_in(*answers[node], cluster.name(node))) unavailable.holders.push_back(std::move(*holder));
  }
  if (unavailable.reason.empty()) return;
  unlock(cluster, locker);
  throw LockUnavailable{std::move(unavailable)};
}

void ClusterLock::unlock(const Cluster& cluster, const std::string& locker) {
  cluster.ask_all("POST", lock_path("unlock", locker, {}));
}

bool ClusterLock::release_leftover(const Cluster& cluster, LockFile& lock_file, const std::string& locker) {
  const auto answers = cluster.ask_all("POST", lock_path("unlock", locker, {}));
  if (!std::ranges::all_of(answers, [](const auto& answer) { return answer.has_value(); })) return false;
  log::warning("unlocked \"{}\", which this coordinator held when it ended unexpectedly", locker);
  lock_file.remove(locker);
  return true;
}

}  // namespace cherax::coordinator
