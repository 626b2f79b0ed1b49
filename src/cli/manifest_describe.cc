#include <fmt/format.h>

#include <CLI/App.hpp>

#include "cli/manifest.h"
#include "snapshot/relative_path.h"

namespace cherax::cli {

namespace {

/// As Python prints a time in UTC.
std::string iso_time(Timestamp time) {
  auto text = format_rfc3339(time);
  text.replace(text.size() - 1, 1, "+00:00");
  return text;
}

/// The lines of Astacus. Uploads are of those nodes only that had something to upload: the host name is ours.
std::string as_text(const std::string& name, const repository::Manifest& manifest) {
  std::string text;
  const auto append = [&](const std::string& line) { text += snapshot::printable(line) + '\n'; };
  append(fmt::format("{} manifest {}", manifest.plugin, name));
  append("===============================");
  append(fmt::format("Started at: {}", iso_time(manifest.start)));
  append(fmt::format("Finished at: {}", iso_time(manifest.end)));
  append(fmt::format("Attempts: {}", manifest.attempt));
  for (std::size_t i = 0; i < manifest.snapshot_results.size(); ++i) {
    const auto& result = manifest.snapshot_results[i];
    append(fmt::format("Snapshot #{} created at {} contains {} files ({} bytes)", i,
                       result.start ? iso_time(*result.start) : "an unknown time", result.files, result.total_size));
  }
  for (std::size_t i = 0; i < manifest.upload_results.size(); ++i) {
    const auto& result = manifest.upload_results[i];
    append(fmt::format("Node #{} uploaded {} bytes out of {} ({})", i, result.total_stored_size, result.total_size,
                       result.hostname));
  }
  if (const auto& tiered = manifest.tiered_storage_results) {
    append(fmt::format("References {} objects in tiered storage totalling {} bytes", tiered->n_objects,
                       tiered->total_size_bytes));
  }
  return text;
}

/// The manifest without its files, hashes and plugin data.
std::string as_json(const std::string& name, const repository::Manifest& manifest) {
  auto document = json::to_value(manifest);
  document.as_object().erase("plugin_data");
  document.as_object()["name"] = name;
  return json::to_text(document) + '\n';
}

ExitCode describe(CommandLine& line, repository::Repository& storage, const std::string& text) {
  const auto name = repository::BackupName::parse(text).value();
  const auto manifest = storage.manifests().open(name).read();
  line.console().out << (line.options().json ? as_json(name.full(), manifest) : as_text(name.full(), manifest));
  return ExitCode::success;
}

}  // namespace

void add_manifest_describe(CommandLine& line, CLI::App& group, std::shared_ptr<ChosenStorage> storage) {
  const auto name = std::make_shared<std::string>();
  auto& command =
      line.add_command(group, "describe", "Print what a backup holds, in numbers",
                       [&line, name, storage = std::move(storage)] { return describe(line, storage->open(), *name); });
  command.add_option("manifest", *name, "Its name, as manifest list prints it")->required();
}

}  // namespace cherax::cli
