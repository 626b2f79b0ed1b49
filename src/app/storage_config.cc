#include "app/storage_config.h"

#include "app/all_stores.h"
#include "transform/compress.h"
#include "transform/keys.h"

namespace cherax::app {

StorageConfig::StorageConfig(Checks& checks, const ObjectStorageSection& section, json::Path path,
                             std::optional<std::filesystem::path> cache)
    : checks_(checks), section_(section), path_(std::move(path)), cache_(std::move(cache)) {
  check_codec();
  checks_.require(
      section_.storages.contains(section_.default_storage) || checks_.has_problem(below(path_, {"storages"})),
      below(path_, {"default_storage"}), "the name of one of storages");
  for (const auto& [name, value] : section_.storages) {
    checks_.require(
        !cache_ || repository::can_be_cached(name), below(path_, {"storages", name}),
        "a plain file name as its key: coordinator.object_storage_cache keeps its manifests in a folder of that "
        "name");
    make_store(name, value);
  }
}

void StorageConfig::make_store(const std::string& name, const json::value& value) {
  const auto path = below(path_, {"storages", name});
  if (!value.is_object()) return checks_.require(false, path, "an object with storage_type and more");
  json::object members = value.get_object();
  const json::value type = members["storage_type"];
  const auto factory = type.is_string() ? all_stores().find(std::string_view{type.get_string()}) : all_stores().end();
  std::vector<std::string_view> types;
  for (const auto& [known, unused] : all_stores()) types.push_back(known);
  checks_.require(factory != all_stores().end(), below(path, {"storage_type"}),
                  fmt::format("one of {}", fmt::join(types, ", ")));
  if (factory == all_stores().end()) return;
  members.erase("storage_type");
  auto& reader = checks_.reader();
  reader.at_path(path, [&] { return (stores_[name] = factory->second(reader, members)) != nullptr; });
}

repository::CodecOptions StorageConfig::codec_options() const {
  repository::CodecOptions options;
  if (const auto algorithm = transform::parse_algorithm(section_.compression.algorithm)) {
    options.compression = transform::Compression{*algorithm, section_.compression.level};
  }
  if (!section_.encryption_key_id.empty()) options.encryption_key_id = section_.encryption_key_id;
  for (const auto& [id, pair] : section_.encryption_keys) options.encryption_keys[id] = {pair.public_, pair.private_};
  return options;
}

void StorageConfig::check_codec() {
  const auto options = codec_options();
  checks_.require(section_.compression.algorithm.empty() || options.compression,
                  below(path_, {"compression", "algorithm"}), "one of zstd, snappy, lzma");
  checks_.require(
      !section_.compression.algorithm.empty() || options.encryption_key_id, path_,
      "compression or encryption_key_id, or both: what is stored has to be one of compressed and encrypted");
  if (options.compression) {
    checks_.require_valid(below(path_, {"compression", "level"}),
                          [&] { transform::require_valid(*options.compression); });
  }
  checks_.require(!options.encryption_key_id || section_.encryption_keys.contains(*options.encryption_key_id),
                  below(path_, {"encryption_key_id"}), "the name of one of encryption_keys");
  for (const auto& [id, pair] : section_.encryption_keys) {
    const auto path = below(path_, {"encryption_keys", id});
    const auto public_key = transform::PublicKey::from_pem(pair.public_);
    checks_.require(public_key.has_value(), below(path, {"public"}), "a public RSA key in PEM form (BEGIN PUBLIC KEY)");
    if (pair.private_.empty()) continue;
    const auto private_key = transform::PrivateKey::from_pem(pair.private_);
    checks_.require(private_key.has_value(), below(path, {"private"}),
                    "a private RSA key in PEM form (BEGIN PRIVATE KEY), without a password");
    if (public_key && private_key) {
      checks_.require(transform::is_pair(*public_key, *private_key), below(path, {"public"}),
                      "the public half of `private`: what it seals could not be opened");
    }
  }
}

std::unique_ptr<repository::Storages> StorageConfig::make() {
  return std::make_unique<repository::Storages>(section_.default_storage, std::move(stores_), codec_options(),
                                                section_.temporary_directory, cache_);
}

}  // namespace cherax::app
