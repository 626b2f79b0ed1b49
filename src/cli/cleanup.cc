#include <CLI/App.hpp>
#include <memory>
#include <optional>

#include "api/messages.h"
#include "cli/commands.h"
#include "cli/operation.h"

namespace cherax::cli {

namespace {

// As in Astacus, whose scripts may pass 0 for "as configured".
std::optional<std::int64_t> unless_zero(std::uint32_t count) {
  return count == 0 ? std::nullopt : std::optional<std::int64_t>{count};
}

struct RetentionOptions {
  std::uint32_t minimum_backups = 0;
  std::uint32_t maximum_backups = 0;
  std::uint32_t keep_days = 0;
};

api::CleanupRequest to_request(const RetentionOptions& options) {
  const api::Retention retention{unless_zero(options.minimum_backups), unless_zero(options.maximum_backups),
                                 unless_zero(options.keep_days)};
  api::CleanupRequest request;
  if (retention.minimum_backups || retention.maximum_backups || retention.keep_days) request.retention = retention;
  return request;
}

}  // namespace

void add_cleanup(CommandLine& line) {
  const auto options = std::make_shared<RetentionOptions>();
  auto& command = line.add_command(
      "cleanup", "Delete the backups that the retention does not keep, and what only they need", [&line, options] {
        return run_operation(line.console(), line.options(), "cleanup", json::to_text(to_request(*options)));
      });
  command.add_option("--minimum-backups", options->minimum_backups, "Keep at least that many; 0: as configured");
  command.add_option("--maximum-backups", options->maximum_backups, "Keep at most that many; 0: as configured");
  command.add_option("--keep-days", options->keep_days, "Keep those younger than that; 0: as configured");
}

}  // namespace cherax::cli
