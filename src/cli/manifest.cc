#include "cli/manifest.h"

#include <CLI/App.hpp>

namespace cherax::cli {

std::shared_ptr<ChosenStorage> ChosenStorage::add_to(CLI::App& group, OpenStorages open_storages) {
  std::shared_ptr<ChosenStorage> storage{new ChosenStorage{std::move(open_storages)}};
  group.add_option("-c,--config", storage->config_, "The server's configuration file")->required();
  group.add_option("-s,--storage", storage->name_, "The storage to read; default: the configured one");
  return storage;
}

repository::Repository& ChosenStorage::open() {
  storages_ = open_storages_(config_);
  return storages_->find(name_);
}

void add_manifest(CommandLine& line, OpenStorages open_storages) {
  auto& group = line.add_group("manifest", "Look into backups in the object storage, without a server");
  const auto storage = ChosenStorage::add_to(group, std::move(open_storages));
  add_manifest_list(line, group, storage);
  add_manifest_describe(line, group, storage);
  add_manifest_dump(line, group, storage);
  add_manifest_download_files(line, group, storage);
}

}  // namespace cherax::cli
