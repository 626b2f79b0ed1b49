#include <CLI/App.hpp>
#include <optional>

#include "cli/manifest.h"
#include "cli/manifest_printer.h"

namespace cherax::cli {

namespace {

struct DumpOptions {
  std::string name;
  bool pretty = false;
  ManifestStyle style;
};

void copy(Source& text, std::ostream& out) {
  Bytes buffer(kStreamBuffer);
  while (const std::size_t size = text.read(buffer)) {
    if (!out.write(reinterpret_cast<const char*>(buffer.data()), static_cast<std::streamsize>(size))) return;
  }
  out << '\n';
}

ExitCode dump(const Console& console, repository::Repository& storage, const DumpOptions& options) {
  const auto name = repository::BackupName::parse(options.name).value();
  const auto manifest = storage.manifests().open(name);
  const auto text = manifest.text();
  if (options.pretty) {
    in_context(name.full(), [&] { print_manifest(*text, options.style, console.out); });
  } else {
    copy(*text, console.out);
  }
  return ExitCode::success;
}

}  // namespace

void add_manifest_dump(CommandLine& line, CLI::App& group, std::shared_ptr<ChosenStorage> storage) {
  const auto options = std::make_shared<DumpOptions>();
  auto& command = line.add_command(
      group, "dump", "Print a manifest as JSON",
      [&line, options, storage = std::move(storage)] { return dump(line.console(), storage->open(), *options); });
  command.add_option("manifest", options->name, "Its name, as manifest list prints it")->required();
  command.add_flag("-p,--pretty", options->pretty, "With line breaks, and without files and hashes unless asked for");
  command.add_option("-i,--indent", options->style.indent, "With --pretty: spaces a level")->capture_default_str();
  command.add_flag("-F,--files", options->style.files, "With --pretty: with the files");
  command.add_flag("-H,--hashes", options->style.hashes, "With --pretty: with the hashes");
}

}  // namespace cherax::cli
