#include <CLI/App.hpp>

#include "cli/manifest.h"

namespace cherax::cli {

namespace {

ExitCode list(CommandLine& line, repository::Repository& storage) {
  const auto names = storage.manifests().list();
  auto& out = line.console().out;
  if (line.options().json) {
    json::array listed;
    for (const auto& name : names) listed.emplace_back(name.full());
    out << json::to_text(json::object{{"manifests", std::move(listed)}}) << '\n';
  } else {
    for (const auto& name : names) out << name.full() << '\n';
  }
  return ExitCode::success;
}

}  // namespace

void add_manifest_list(CommandLine& line, CLI::App& group, std::shared_ptr<ChosenStorage> storage) {
  line.add_command(group, "list", "Print the names of all manifests",
                   [&line, storage = std::move(storage)] { return list(line, storage->open()); });
}

}  // namespace cherax::cli
