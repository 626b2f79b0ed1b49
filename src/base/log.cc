#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace cherax::log {

namespace {

spdlog::logger& logger() {
  static const auto instance = [] {
    auto created = std::make_shared<spdlog::logger>("cherax", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    created->set_pattern("%Y-%m-%dT%H:%M:%S.%fZ %l %v", spdlog::pattern_time_type::utc);
    created->flush_on(spdlog::level::trace);
    return created;
  }();
  return *instance;
}

thread_local std::string thread_context;

spdlog::level::level_enum spdlog_level(Level level) { return static_cast<spdlog::level::level_enum>(level); }

}  // namespace

void set_level(Level level) { logger().set_level(spdlog_level(level)); }
bool enabled(Level level) { return logger().should_log(spdlog_level(level)); }

void write(Level level, std::string_view message) {
  logger().log(spdlog_level(level), "{}{}", thread_context, message);
}

Context::Context(std::string_view context) : previous_size_(thread_context.size()) {
  thread_context.append(context).append(": ");
}
Context::~Context() { thread_context.resize(previous_size_); }

}  // namespace cherax::log
