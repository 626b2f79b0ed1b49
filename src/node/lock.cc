#include "node/lock.h"

namespace cherax::node {

Lock::Answer Lock::acquire(const std::string& locker, Duration time_to_live) {
  std::scoped_lock guard{mutex_};
  if (held()) return Answer::already_locked;
  locker_ = locker;
  expires_ = clock_.steady() + time_to_live;
  return Answer::done;
}

Lock::Answer Lock::extend(const std::string& locker, Duration time_to_live) {
  std::scoped_lock guard{mutex_};
  const Answer answer = check(locker);
  if (answer == Answer::done) expires_ = clock_.steady() + time_to_live;
  return answer;
}

Lock::Answer Lock::release(const std::string& locker) {
  std::scoped_lock guard{mutex_};
  const Answer answer = check(locker);
  if (answer == Answer::done) locker_.clear();
  return answer;
}

std::optional<Lock::Holder> Lock::holder() {
  std::scoped_lock guard{mutex_};
  if (!held()) return std::nullopt;
  return Holder{locker_, expires_ - clock_.steady()};
}

Lock::Answer Lock::check(const std::string& locker) const {
  if (!held()) return Answer::not_locked;
  return locker_ == locker ? Answer::done : Answer::locked_by_other;
}

}  // namespace cherax::node
