#pragma once

// For tests only: a repository in memory.

#include <gtest/gtest.h>

#include "base/manual_clock.h"
#include "repository/storages.h"
#include "storage/memory/memory_store.h"
#include "storage/temporary_directory.h"
#include "transform/digest.h"
#include "transform/testing.h"

namespace cherax::repository::testing {

using transform::testing::kind_of_error;

inline EncryptionKeyPair key_pair(const std::string& id) {
  return {transform::testing::public_pem(id), transform::testing::private_pem(id)};
}

/// zstd, and the key rsa1024, which is fast.
inline CodecOptions codec_options() {
  return {.compression = transform::Compression{},
          .encryption_key_id = "rsa1024",
          .encryption_keys = {{"rsa1024", key_pair("rsa1024")}}};
}

inline Digest digest_of(std::string_view text) {
  MemorySource source{as_bytes(text)};
  return transform::digest_of(source);
}

/// The message of the Error that `work` throws.
template <class Work>
std::string error_message(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.message();
  }
  return "no Error was thrown";
}

class RepositoryTest : public ::testing::Test {
 protected:
  std::uint64_t store_blob(std::string_view text) {
    MemorySource source{as_bytes(text)};
    return BlobWriter{store_, codec_}.store(digest_of(text), text.size(), source);
  }
  bool has_blob(std::string_view text) { return store_.head({"data/" + digest_of(text).hex()}).has_value(); }

  storage::TemporaryDirectory directory_;
  ManualClock clock_;
  storage::MemoryStore store_{clock_};
  ObjectCodec codec_{codec_options()};
  Manifests manifests_{
      store_, codec_, {.storage = "x", .temporary_directory = directory_.path() / "tmp", .cache = std::nullopt}};
};

/// A node's snapshot result with one file per content, embedded or not.
inline std::string snapshot_result(const std::vector<std::string>& contents,
                                   const std::vector<std::string>& embedded = {}) {
  json::array files, hashes;
  std::int64_t total = 0;
  const auto file = [&](const std::string& content) {
    total += static_cast<std::int64_t>(content.size());
    return api::SnapshotFile{
        .relative_path = fmt::format("file-{}", files.size()), .file_size = content.size(), .mtime_ns = 1};
  };
  for (const std::string& content : contents) {
    auto entry = file(content);
    entry.hexdigest = digest_of(content).hex();
    files.push_back(json::to_value(entry));
    hashes.push_back(json::to_value(api::SnapshotHash{.hexdigest = digest_of(content), .size = content.size()}));
  }
  for (const std::string& content : embedded) {
    auto entry = file(content);
    entry.content_b64 = to_base64(as_bytes(content));
    files.push_back(json::to_value(entry));
  }
  json::object result{{"hostname", "h"}, {"az", ""}, {"files", files.size()}, {"total_size", total}};
  result["hashes"] = std::move(hashes);
  result["state"] = json::object{{"root_globs", json::array{"**"}}, {"files", std::move(files)}};
  return json::to_text(json::value(std::move(result)));
}

/// Puts a manifest of these nodes' results.
inline BackupName put_manifest(Manifests& manifests, Timestamp start, const std::vector<std::string>& results,
                               BackupName::Kind kind = BackupName::Kind::backup) {
  std::vector<MemorySource> sources;
  for (const std::string& result : results) sources.emplace_back(as_bytes(result));
  NewManifest manifest{.kind = kind, .start = start, .end = start + std::chrono::seconds{2}, .plugin = "files"};
  for (MemorySource& source : sources) manifest.snapshot_results.push_back(&source);
  return manifests.put(manifest);
}

}  // namespace cherax::repository::testing
