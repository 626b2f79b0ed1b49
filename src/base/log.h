#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

/// The server's log: one line an event on standard error. Any thread. Never pass a secret.
/// A LogContext names what a thread works on (operation, step) and stands in front of each of its lines.
namespace cherax::log {

enum class Level { trace, debug, info, warning, error, critical };

/// Lines below `level` are dropped. Called once, by main.
void set_level(Level level);
bool enabled(Level level);
void write(Level level, std::string_view message);

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::debug)) write(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::info)) write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::error, fmt::format(format, std::forward<Args>(args)...));
}

/// While it lives, `context` precedes the lines of this thread: "backup 3: upload: …". Contexts nest.
class Context {
 public:
  explicit Context(std::string_view context);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

 private:
  std::size_t previous_size_;
};

}  // namespace cherax::log
