#pragma once

#include <boost/describe/class.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/messages.h"
#include "base/file.h"
#include "base/json.h"
#include "repository/layout.h"

/// What a manifest says (docs/format.md). Its files and hashes may not fit in memory: they are only ever streamed.
namespace cherax::repository {

struct SnapshotState {
  std::vector<std::string> root_globs;
};
BOOST_DESCRIBE_STRUCT(SnapshotState, (), (root_globs))

/// One node's snapshot, without its files and hashes.
struct NodeSnapshot : api::SnapshotSummary {
  std::optional<SnapshotState> state;
};
BOOST_DESCRIBE_STRUCT(NodeSnapshot, (api::SnapshotSummary), (state))

struct TieredStorageResults {
  std::int64_t n_objects = 0;
  std::int64_t total_size_bytes = 0;
};
BOOST_DESCRIBE_STRUCT(TieredStorageResults, (), (n_objects, total_size_bytes))

struct Manifest {
  static constexpr std::array kRequired{"start", "end", "attempt", "snapshot_results", "upload_results", "plugin"};
  Timestamp start;
  Timestamp end;
  std::int64_t attempt = 1;
  std::vector<NodeSnapshot> snapshot_results;     ///< one a node, in node order
  std::vector<api::UploadResult> upload_results;  ///< of the nodes that uploaded something
  std::string plugin;
  json::value plugin_data = json::object{};
  std::string filename;  ///< empty, or the object's name
  std::optional<TieredStorageResults> tiered_storage_results;
};
BOOST_DESCRIBE_STRUCT(Manifest, (),
                      (start, end, attempt, snapshot_results, upload_results, plugin, plugin_data, filename,
                       tiered_storage_results))

/// What a reader of a manifest wants of its lists; `node` is the index in snapshot_results. Absent functions skip. What
/// they throw ends the reading and comes through as it is.
struct ManifestVisitor {
  /// The file has either a digest of 64 hex digits, or content of `file_size` bytes. Its path is not checked.
  std::function<void(std::size_t node, const api::SnapshotFile& file)> file;
  std::function<void(std::size_t node, const api::SnapshotHash& hash)> hash;
};

/// A manifest's text in a temporary file without a name, or in the cache: whole, and its HMAC checked. Any thread.
class SpooledManifest {
 public:
  /// `where` is for messages.
  SpooledManifest(File text, std::string where) : text_(std::move(text)), where_(std::move(where)) {}

  /// Parses it, as often as wanted. The input may be hostile: Error{corrupt} for broken JSON, members of wrong types,
  /// or more than 64 MiB of one file, or of everything besides files and hashes. Unknown members are passed over.
  Manifest read(const ManifestVisitor& visitor = {}) const;

  /// The JSON as it is stored. `this` must outlive it.
  std::unique_ptr<Source> text() const;
  std::uint64_t size() const { return text_.size(); }

 private:
  File text_;
  std::string where_;
};

}  // namespace cherax::repository
