#include <CLI/App.hpp>
#include <memory>

#include "api/messages.h"
#include "cli/commands.h"
#include "cli/operation.h"

namespace cherax::cli {

namespace {

/// Without what is not asked for: an Astacus server does not know all of it.
std::string to_body(const api::RestoreRequest& request) {
  json::object body;
  if (!request.storage.empty()) body["storage"] = request.storage;
  if (!request.name.empty()) body["name"] = request.name;
  if (request.stop_after_step) body["stop_after_step"] = *request.stop_after_step;
  if (request.overwrite) body["overwrite"] = true;
  if (request.discard_old) body["discard_old"] = true;
  return json::to_text(body);
}

}  // namespace

void add_restore(CommandLine& line) {
  const auto request = std::make_shared<api::RestoreRequest>();
  auto& command = line.add_command("restore", "Restore the cluster from a backup", [&line, request] {
    return run_operation(line.console(), line.options(), "restore", to_body(*request));
  });
  command.add_option("--storage", request->storage, "The storage to read; default: the configured one");
  command.add_option("--backup", request->name, "The backup's name, as list prints it; default: the latest");
  command.add_option("--stop-after-step", request->stop_after_step, "End after that step");
  command.add_flag("--overwrite", request->overwrite, "Also restore over nodes that hold tables of users");
  command.add_flag("--discard-old", request->discard_old,
                   "Remove what the restore replaces at once, instead of setting it aside until it has succeeded");
}

}  // namespace cherax::cli
