#include <fmt/format.h>

#include <CLI/App.hpp>
#include <memory>

#include "cli/backup_tables.h"
#include "cli/commands.h"
#include "cli/server.h"

namespace cherax::cli {

void add_list(CommandLine& line) {
  const auto storage = std::make_shared<std::string>();
  auto& command = line.add_command("list", "List the backups", [&line, storage] {
    const auto response = Server{line.options().url}.list(*storage);
    line.console().out << (line.options().json ? json::to_text(response) + "\n" : format_backups(response));
    for (const api::StorageList& in : response.storages) {
      for (const auto& [name, error] : in.unreadable) {
        print_error(line.console(), fmt::format("{} in {} cannot be read: {}", name, in.storage_name, error));
      }
    }
    return ExitCode::success;
  });
  command.add_option("--storage", *storage, "Only that storage; default: all");
}

}  // namespace cherax::cli
