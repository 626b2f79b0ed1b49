#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "repository/blob_reader.h"
#include "repository/blob_writer.h"
#include "repository/manifests.h"
#include "repository/object_codec.h"
#include "storage/object_store.h"

namespace cherax::repository {

/// One configured storage as backups use it. Any thread.
class Repository {
 public:
  Repository(std::string name, std::unique_ptr<storage::ObjectStore> store, const ObjectCodec& codec,
             ManifestsOptions options)
      : name_(std::move(name)),
        store_(std::move(store)),
        writer_(*store_, codec),
        reader_(*store_, codec),
        manifests_(*store_, codec, std::move(options)) {}

  const std::string& name() const { return name_; }
  storage::ObjectStore& store() { return *store_; }
  BlobWriter& writer() { return writer_; }
  BlobReader& reader() { return reader_; }
  Manifests& manifests() { return manifests_; }

 private:
  std::string name_;
  std::unique_ptr<storage::ObjectStore> store_;
  BlobWriter writer_;
  BlobReader reader_;
  Manifests manifests_;
};

/// The configured storages, by name. Any thread.
class Storages {
 public:
  /// `default_name` is one of `stores`. Error{invalid} as ObjectCodec.
  Storages(const std::string& default_name, std::map<std::string, std::unique_ptr<storage::ObjectStore>>&& stores,
           const CodecOptions& codec, const std::filesystem::path& temporary_directory,
           const std::optional<std::filesystem::path>& manifest_cache);

  /// "" is the default storage. Error{invalid} names those that there are.
  Repository& find(const std::string& name) const;
  Repository& default_storage() const { return find({}); }
  /// In the order of their names.
  std::vector<Repository*> all() const;

 private:
  ObjectCodec codec_;
  std::string default_name_;
  std::map<std::string, std::unique_ptr<Repository>> repositories_;
};

}  // namespace cherax::repository
