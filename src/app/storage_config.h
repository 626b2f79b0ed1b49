#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "app/checks.h"
#include "app/config_file.h"
#include "repository/storages.h"

namespace cherax::app {

/// An `object_storage` section, and the storages that it describes. The checks and the section outlive it. One thread.
class StorageConfig {
 public:
  /// What is wrong with the section, which stands at `path`, is added to the checks. `cache` is
  /// coordinator.object_storage_cache.
  StorageConfig(Checks& checks, const ObjectStorageSection& section, json::Path path,
                std::optional<std::filesystem::path> cache);

  const std::filesystem::path& temporary_directory() const { return section_.temporary_directory; }
  json::Path temporary_directory_path() const { return below(path_, {"temporary_directory"}); }

  /// Once, when the checks found no problem. Creates nothing on disk.
  std::unique_ptr<repository::Storages> make();

 private:
  repository::CodecOptions codec_options() const;
  void check_codec();
  void make_store(const std::string& name, const json::value& value);

  Checks& checks_;
  const ObjectStorageSection& section_;
  const json::Path path_;
  const std::optional<std::filesystem::path> cache_;
  std::map<std::string, std::unique_ptr<storage::ObjectStore>> stores_;
};

}  // namespace cherax::app
