#include <CLI/App.hpp>
#include <memory>

#include "api/messages.h"
#include "cli/commands.h"
#include "cli/operation.h"

namespace cherax::cli {

void add_delete(CommandLine& line) {
  const auto request = std::make_shared<api::CleanupRequest>();
  auto& command = line.add_command(
      "delete", "Delete backups by name, then what the retention does not keep",
      [&line, request] { return run_operation(line.console(), line.options(), "cleanup", json::to_text(*request)); });
  command.add_option("--backups", request->explicit_delete, "The backups to delete");
}

}  // namespace cherax::cli
