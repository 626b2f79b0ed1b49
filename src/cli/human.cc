#include "cli/human.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace cherax::cli {

using std::chrono::seconds;

std::string format_size(std::int64_t bytes) {
  static constexpr std::array<std::pair<double, const char*>, 4> kUnits{
      {{1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}, {1e3, "KB"}}};
  const auto size = static_cast<double>(bytes);
  for (const auto& [multiple, unit] : kUnits) {
    if (size >= multiple) return fmt::format("{:.1f} {}", size / multiple, unit);
  }
  return fmt::format("{} B", bytes);
}

std::string format_duration(seconds duration) {
  static constexpr std::array<std::pair<std::int64_t, char>, 4> kUnits{
      {{86'400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}}};
  std::string text;
  auto rest = duration.count();
  for (const auto& [length, unit] : kUnits) {
    if (rest >= length) text += fmt::format("{}{}{}", text.empty() ? "" : " ", rest / length, unit);
    rest %= length;
  }
  return text;
}

std::string format_elapsed(Duration elapsed) {
  if (elapsed >= std::chrono::minutes{1}) return format_duration(std::chrono::floor<seconds>(elapsed));
  return fmt::format("{:.1f} s", std::chrono::duration<double>(elapsed).count());
}

std::string format_estimate(seconds left) {
  const auto rounded_up = [&](std::int64_t unit) { return seconds{(left.count() + unit - 1) / unit * unit}; };
  if (left <= std::chrono::minutes{1}) return format_duration(std::max(left, seconds{1}));
  if (left <= std::chrono::minutes{10}) return format_duration(rounded_up(10));
  return format_duration(rounded_up(60));
}

}  // namespace cherax::cli
