#include "base/clock.h"

#include <date/date.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <sstream>

namespace cherax {

std::string format_rfc3339(Timestamp time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  if (seconds == time) return date::format("%FT%TZ", seconds);
  return date::format("%FT%TZ", time);
}

std::string format_backup_time(Timestamp time) {
  return date::format("%FT%T+00:00", std::chrono::floor<std::chrono::seconds>(time));
}

Result<Timestamp> parse_rfc3339(std::string_view text) {
  const auto refuse = [&] {
    return make_error(ErrorKind::invalid, "not an RFC 3339 time: \"{}\"", text.substr(0, 64));
  };
  if (text.size() < 20 || text.size() > 64 || (text[10] != 'T' && text[10] != 't' && text[10] != ' ')) return refuse();
  std::string normal{text};
  normal[10] = 'T';
  // One spelling of the offset for the parser: +00:00 instead of Z.
  if (normal.back() == 'Z' || normal.back() == 'z') normal.replace(normal.size() - 1, 1, "+00:00");
  if (const auto dot = normal.find('.'); dot != std::string::npos) {
    const auto end = normal.find_first_not_of("0123456789", dot + 1);
    if (end == std::string::npos || end == dot + 1) return refuse();
    if (end - dot - 1 > 6) normal.erase(dot + 7, end - dot - 7);
  }
  std::istringstream stream{normal};
  Timestamp time;
  stream >> date::parse("%FT%T%Ez", time);
  if (stream.fail() || stream.peek() != std::istringstream::traits_type::eof()) return refuse();
  return time;
}

std::chrono::milliseconds Deadline::remaining() const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(time_ - std::chrono::steady_clock::now());
  return std::max(left, std::chrono::milliseconds{0});
}

namespace {

class SystemClock final : public Clock {
 public:
  Timestamp now() override { return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()); }
  SteadyTime steady() override { return std::chrono::steady_clock::now(); }
  bool sleep_for(Duration duration, std::stop_token stop) override {
    std::mutex mutex;
    std::condition_variable_any condition;
    std::unique_lock lock{mutex};
    condition.wait_for(lock, stop, duration, [] { return false; });
    return !stop.stop_requested();
  }
};

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

}  // namespace cherax
