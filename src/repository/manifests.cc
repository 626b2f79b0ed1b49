#include "repository/manifests.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/json_stream.h"
#include "base/log.h"
#include "repository/in_context.h"

namespace cherax::repository {

namespace {

constexpr std::string_view kCachedSuffix = ".json";
constexpr int kSecondsTried = 60;

void create_folders(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) fail_errno(error.value(), fmt::format("creating {}", path.string()));
}

File spool_file(const std::filesystem::path& directory) {
  create_folders(directory);
  return File::temporary(directory);
}

void write_json(const NewManifest& manifest, Sink& sink) {
  json::StreamWriter writer{sink};
  writer.begin_object();
  writer.member("start", manifest.start);
  writer.member("end", manifest.end);
  writer.member("attempt", manifest.attempt);
  writer.key("snapshot_results");
  writer.begin_array();
  for (Source* result : manifest.snapshot_results) writer.raw(*result);
  writer.end_array();
  writer.member("upload_results", manifest.upload_results);
  writer.member("plugin", manifest.plugin);
  writer.member("plugin_data", manifest.plugin_data);
  writer.member("filename", std::string{});
  writer.member("tiered_storage_results", json::value{});
  writer.end_object();
  writer.flush();
}

/// What is written must be what a restore can read: each element is checked, too.
void require_readable(const SpooledManifest& spooled, const NewManifest& manifest) {
  const auto read = spooled.read(
      {.file = [](std::size_t, const api::SnapshotFile&) {}, .hash = [](std::size_t, const api::SnapshotHash&) {}});
  if (read.snapshot_results.size() != manifest.snapshot_results.size()) {
    fail(ErrorKind::internal, "the new manifest has {} snapshot results instead of {}", read.snapshot_results.size(),
         manifest.snapshot_results.size());
  }
}

}  // namespace

bool can_be_cached(std::string_view storage) {
  constexpr std::string_view kSeparators{"/\0", 2};
  return !storage.empty() && storage != "." && storage != ".." &&
         storage.find_first_of(kSeparators) == std::string_view::npos;
}

Manifests::Manifests(storage::ObjectStore& store, const ObjectCodec& codec, ManifestsOptions options)
    : store_(store), codec_(codec), options_(std::move(options)) {
  if (options_.cache && !can_be_cached(options_.storage)) {
    fail(ErrorKind::invalid, "the storage name \"{}\" cannot be a folder of object_storage_cache", options_.storage);
  }
}

std::string Manifests::where(const BackupName& name) const {
  return fmt::format("{} in storage {} ({})", name.key().text, options_.storage, store_.describe());
}

std::vector<BackupName> Manifests::list() {
  std::vector<BackupName> names;
  store_.list(std::string{kManifestPrefix}, "", [&](std::span<const storage::ObjectInfo> page) {
    for (const storage::ObjectInfo& info : page) {
      if (auto name = BackupName::from_key(info.key)) names.push_back(*std::move(name));
    }
    return true;
  });
  if (options_.cache) prune_cache(names);
  return names;
}

SpooledManifest Manifests::open(const BackupName& name) {
  const auto cached = cached_path(name);
  if (!cached || !status_of(*cached)) return fetch(name);
  if (!store_.head(name.key())) {
    fail(ErrorKind::not_found, "there is no {} any more", where(name));
  }
  return {File{*cached, O_RDONLY}, where(name)};
}

SpooledManifest Manifests::fetch(const BackupName& name) {
  File file = spool_file(options_.temporary_directory);
  FileSink plain{file};
  std::unique_ptr<Sink> decoded;
  std::optional<SinkInContext> sink;
  const bool found = store_.get(name.key(), {}, [&](const storage::ObjectHead& head) -> Sink& {
    decoded = in_context(where(name), [&] { return codec_.decode(plain, head.metadata, kLargest); });
    return sink.emplace(*decoded, where(name));
  });
  if (!found) fail(ErrorKind::not_found, "there is no {}", where(name));
  SpooledManifest manifest{std::move(file), where(name)};
  add_to_cache(name, manifest);
  return manifest;
}

BackupName Manifests::put(const NewManifest& manifest) {
  File file = spool_file(options_.temporary_directory);
  FileSink sink{file};
  write_json(manifest, sink);
  const SpooledManifest spooled{std::move(file), "the new manifest"};
  require_readable(spooled, manifest);
  for (int second = 0; second < kSecondsTried; ++second) {
    auto name = BackupName::at(manifest.start + std::chrono::seconds{second}, manifest.kind);
    if (store_.head(name.key()) || !put_as(name, spooled)) continue;
    store_.sync();
    add_to_cache(name, spooled);
    return name;
  }
  fail(ErrorKind::already_exists, "{} and the names of the {} seconds after it are taken",
       where(BackupName::at(manifest.start, manifest.kind)), kSecondsTried - 1);
}

bool Manifests::put_as(const BackupName& name, const SpooledManifest& manifest) {
  const auto plain = manifest.text();
  const auto encoded = codec_.encode(*plain, manifest.size());
  SourceInContext source{*encoded, where(name)};
  try {
    store_.put(name.key(), source, codec_.metadata(), storage::PutMode::if_absent);
    return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::already_exists) throw;
    return false;
  }
}

void Manifests::remove(std::span<const BackupName> names) {
  std::vector<storage::ObjectKey> keys;
  for (const BackupName& name : names) keys.push_back(name.key());
  store_.remove(keys);
  for (const BackupName& name : names) {
    if (const auto cached = cached_path(name)) remove_if_exists(*cached);
  }
}

std::optional<std::filesystem::path> Manifests::cached_path(const BackupName& name) const {
  if (!options_.cache || name.kind() == BackupName::Kind::other) return std::nullopt;
  return *options_.cache / options_.storage / (name.full() + std::string{kCachedSuffix});
}

void Manifests::add_to_cache(const BackupName& name, const SpooledManifest& manifest) {
  const auto path = cached_path(name);
  if (!path) return;
  try {
    File file = spool_file(path->parent_path());
    FileSink sink{file};
    pump(*manifest.text(), sink);
    file.sync();
    const auto unnamed = fmt::format("/proc/self/fd/{}", file.descriptor());
    if (::linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, path->c_str(), AT_SYMLINK_FOLLOW) != 0 && errno != EEXIST) {
      fail_errno(errno, fmt::format("creating {}", path->string()));
    }
  } catch (const Error& error) {  // a cache that is full or not writable must not fail a backup
    log::warning("keeping a copy of {} failed: {}", where(name), error.message());
  }
}

void Manifests::prune_cache(std::span<const BackupName> existing) {
  std::error_code none;  // no such folder, or no more entries
  const auto folder = *options_.cache / options_.storage;
  for (std::filesystem::directory_iterator entry{folder, none}, end; entry != end; entry.increment(none)) {
    const auto file = entry->path().filename().string();
    if (!file.ends_with(kCachedSuffix)) continue;
    const auto name = BackupName::parse(file.substr(0, file.size() - kCachedSuffix.size()));
    if (name && std::ranges::find(existing, *name) == existing.end()) remove_if_exists(entry->path());
  }
}

}  // namespace cherax::repository
