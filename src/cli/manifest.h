#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "cli/command_line.h"
#include "repository/storages.h"

namespace CLI {
class App;
}

/// The commands that read the object storage themselves, without a server.
namespace cherax::cli {

/// The storages of a server's configuration file. Error{invalid} when the file is not right.
using OpenStorages = std::function<std::unique_ptr<repository::Storages>(const std::filesystem::path& config)>;

/// Which storage the commands of the group read.
class ChosenStorage {
 public:
  /// Adds the options that choose it to `group`, and keeps it alive as long as that.
  static std::shared_ptr<ChosenStorage> add_to(CLI::App& group, OpenStorages open_storages);

  /// Reads the configuration. Once.
  repository::Repository& open();

 private:
  explicit ChosenStorage(OpenStorages open_storages) : open_storages_(std::move(open_storages)) {}

  OpenStorages open_storages_;
  std::filesystem::path config_;
  std::string name_;
  std::unique_ptr<repository::Storages> storages_;
};

/// One file each; `group` is the command `manifest`.
void add_manifest_list(CommandLine& line, CLI::App& group, std::shared_ptr<ChosenStorage> storage);
void add_manifest_describe(CommandLine& line, CLI::App& group, std::shared_ptr<ChosenStorage> storage);
void add_manifest_dump(CommandLine& line, CLI::App& group, std::shared_ptr<ChosenStorage> storage);
void add_manifest_download_files(CommandLine& line, CLI::App& group, std::shared_ptr<ChosenStorage> storage);

/// `manifest -c FILE [-s STORAGE] list|describe|dump|download-files`
void add_manifest(CommandLine& line, OpenStorages open_storages);

}  // namespace cherax::cli
