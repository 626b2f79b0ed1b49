#pragma once

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

/// The REST messages, the only contract between command line, coordinator and node. Shapes, names and defaults are
/// those of Astacus' HTTP API (docs/api.md); members that Cherax adds are marked so and may be absent from either side.
namespace cherax::api {

// --- shared ---------------------------------------------------------------------------------------------------------

struct Progress {
  static constexpr std::array kOmittedWhenDefault{"bytes", "bytes_total"};
  std::int64_t handled =
      0;  ///< in the operation's unit: blocks of an upload, files of a clear, 1 + size per file of a download
  std::int64_t failed = 0;
  std::int64_t total = 0;
  bool final_ = false;
  std::int64_t bytes = 0;        ///< ours: plain bytes done
  std::int64_t bytes_total = 0;  ///< ours
  bool operator==(const Progress&) const = default;

  bool succeeded() const { return final_ && failed == 0 && handled == total; }
};
BOOST_DESCRIBE_STRUCT(Progress, (), (handled, failed, total, final_, bytes, bytes_total))

/// The answer to every request that starts something.
struct StartResult {
  std::int64_t op_id = 0;
  std::string status_url;
  bool operator==(const StartResult&) const = default;
};
BOOST_DESCRIBE_STRUCT(StartResult, (), (op_id, status_url))

// --- node API -------------------------------------------------------------------------------------------------------

struct NodeResult {
  static constexpr std::array kOmittedWhenDefault{"error"};
  std::string hostname;
  std::string az;
  Progress progress;
  std::string error;  ///< ours: why it failed; never holds a secret
  bool operator==(const NodeResult&) const = default;
};
BOOST_DESCRIBE_STRUCT(NodeResult, (), (hostname, az, progress, error))

struct SnapshotHash {
  static constexpr std::array kRequired{"hexdigest", "size"};
  Digest hexdigest;
  std::uint64_t size = 0;
  bool operator==(const SnapshotHash&) const = default;
};
BOOST_DESCRIBE_STRUCT(SnapshotHash, (), (hexdigest, size))

/// Either `hexdigest`, or for a small file `content_b64` (present, though empty, for an empty file).
struct SnapshotFile {
  static constexpr std::array kRequired{"relative_path", "file_size", "mtime_ns"};
  static constexpr std::array kOmittedWhenDefault{"hexdigest", "content_b64", "allocated_size"};
  std::string relative_path;
  std::uint64_t file_size = 0;
  std::int64_t mtime_ns = 0;
  std::string hexdigest;
  std::optional<std::string> content_b64;
  std::optional<std::uint64_t> allocated_size;  ///< ours: bytes on the disk, of a file with holes
  bool operator==(const SnapshotFile&) const = default;
};
BOOST_DESCRIBE_STRUCT(SnapshotFile, (), (relative_path, file_size, mtime_ns, hexdigest, content_b64, allocated_size))

/// A SnapshotResult without its lists (`state.files`, `hashes`), which may not fit in memory and are streamed.
struct SnapshotSummary : NodeResult {
  std::optional<Timestamp> start;
  std::optional<Timestamp> end;
  std::int64_t files = 0;
  std::int64_t total_size = 0;
};
BOOST_DESCRIBE_STRUCT(SnapshotSummary, (NodeResult), (start, end, files, total_size))

struct UploadResult : NodeResult {
  std::int64_t total_size = 0;
  std::int64_t total_stored_size = 0;
};
BOOST_DESCRIBE_STRUCT(UploadResult, (NodeResult), (total_size, total_stored_size))

struct LockResult {
  bool locked = false;
};
BOOST_DESCRIBE_STRUCT(LockResult, (), (locked))

struct NodeMetadata {
  std::string version;
  std::vector<std::string> features;
};
BOOST_DESCRIBE_STRUCT(NodeMetadata, (), (version, features))

/// Requests that start a node operation accept a URL to wake the coordinator with when it has ended.
struct NodeRequest {
  std::string result_url;
};
BOOST_DESCRIBE_STRUCT(NodeRequest, (), (result_url))

struct SnapshotGroup {
  static constexpr std::array kRequired{"root_glob"};
  static constexpr std::array kOmittedWhenDefault{"immutable"};
  std::string root_glob;
  std::vector<std::string> excluded_names;
  std::optional<std::int64_t> embedded_file_size_max = 200;  ///< null: any size
  bool immutable = false;                                    ///< ours: the files never change while their name exists
};
BOOST_DESCRIBE_STRUCT(SnapshotGroup, (), (root_glob, excluded_names, embedded_file_size_max, immutable))

struct SnapshotRequest : NodeRequest {
  static constexpr std::array kRequired{"groups"};
  std::vector<SnapshotGroup> groups;
  std::vector<std::string> root_globs;  ///< of Astacus' first protocol; written empty, ignored when read
};
BOOST_DESCRIBE_STRUCT(SnapshotRequest, (NodeRequest), (groups, root_globs))

struct UploadRequest : NodeRequest {
  static constexpr std::array kRequired{"hashes", "storage"};
  std::vector<json::value> hashes;  ///< of SnapshotHash; may not fit in memory, so they are streamed and not kept here
  std::string storage;
  bool validate_file_hashes = true;
};
BOOST_DESCRIBE_STRUCT(UploadRequest, (NodeRequest), (hashes, storage, validate_file_hashes))

/// `hexdigests` empty: nothing of this digest list; ours: `all` releases every hard link of the snapshot.
struct ReleaseRequest : NodeRequest {
  static constexpr std::array kRequired{"hexdigests"};
  static constexpr std::array kOmittedWhenDefault{"all"};
  std::vector<std::string> hexdigests;
  bool all = false;
};
BOOST_DESCRIBE_STRUCT(ReleaseRequest, (NodeRequest), (hexdigests, all))

struct DownloadRequest : NodeRequest {
  static constexpr std::array kRequired{"storage", "backup_name", "snapshot_index", "root_globs"};
  static constexpr std::array kOmittedWhenDefault{"only_matching", "excluded_globs", "check_only"};
  std::string storage;
  std::string backup_name;  ///< the object's full name, `backup-…`
  std::int64_t snapshot_index = 0;
  std::vector<std::string> root_globs;      ///< what matches and is not in the backup is removed
  bool only_matching = false;               ///< ours: files of the backup that match no root_glob are not restored
  std::vector<std::string> excluded_globs;  ///< ours: nor are those that match one of these
  bool check_only = false;                  ///< ours: finds out whether it can be done, and changes nothing
};
BOOST_DESCRIBE_STRUCT(DownloadRequest, (NodeRequest),
                      (storage, backup_name, snapshot_index, root_globs, only_matching, excluded_globs, check_only))

struct ClearRequest : NodeRequest {
  static constexpr std::array kRequired{"root_globs"};
  std::vector<std::string> root_globs;
};
BOOST_DESCRIBE_STRUCT(ClearRequest, (NodeRequest), (root_globs))

// --- coordinator API ------------------------------------------------------------------------------------------------

struct PartialRestoreNode {
  std::optional<std::int64_t> backup_index;
  std::optional<std::string> backup_hostname;
  std::optional<std::int64_t> node_index;
  std::optional<std::string> node_url;
};
BOOST_DESCRIBE_STRUCT(PartialRestoreNode, (), (backup_index, backup_hostname, node_index, node_url))

struct RestoreRequest {
  static constexpr std::array kOmittedWhenDefault{"overwrite", "discard_old", "partial_restore_nodes",
                                                  "stop_after_step"};
  std::string storage;
  std::string name;
  std::optional<std::vector<PartialRestoreNode>> partial_restore_nodes;
  std::optional<std::string> stop_after_step;
  bool overwrite = false;    ///< ours: nodes that hold user tables may be cleared
  bool discard_old = false;  ///< ours: what is cleared is removed at once instead of set aside
};
BOOST_DESCRIBE_STRUCT(RestoreRequest, (),
                      (storage, name, partial_restore_nodes, stop_after_step, overwrite, discard_old))

struct Retention {
  std::optional<std::int64_t> minimum_backups;
  std::optional<std::int64_t> maximum_backups;
  std::optional<std::int64_t> keep_days;
};
BOOST_DESCRIBE_STRUCT(Retention, (), (minimum_backups, maximum_backups, keep_days))

struct CleanupRequest {
  std::string storage;
  std::optional<Retention> retention;
  std::vector<std::string> explicit_delete;
};
BOOST_DESCRIBE_STRUCT(CleanupRequest, (), (storage, retention, explicit_delete))

enum class OperationState { starting, running, done, fail };
BOOST_DESCRIBE_ENUM(OperationState, starting, running, done, fail)

/// One step of an operation, for people who watch it.
struct StepStatus {
  static constexpr std::array kOmittedWhenDefault{"progress"};
  std::string name;
  std::int64_t number = 0;  ///< from 1
  std::int64_t count = 0;
  std::optional<Progress> progress;  ///< of this step alone
  bool operator==(const StepStatus&) const = default;
};
BOOST_DESCRIBE_STRUCT(StepStatus, (), (name, number, count, progress))

struct OperationStatus {
  static constexpr std::array kOmittedWhenDefault{"progress", "step", "attempt", "error", "backup"};
  OperationState state = OperationState::starting;
  std::optional<Progress> progress;  ///< of backup and restore: the sum of all steps
  std::optional<StepStatus> step;    ///< ours: the step under way, or the last one
  std::int64_t attempt = 0;          ///< ours: from 1
  std::string error;                 ///< ours: why it failed
  std::string backup;                ///< ours: the name of the backup that was written or restored
};
BOOST_DESCRIBE_STRUCT(OperationStatus, (), (state, progress, step, attempt, error, backup))

struct ListEntry {
  std::string name;
  Timestamp start;
  Timestamp end;
  std::string plugin;
  std::int64_t attempt = 0;
  std::int64_t nodes = 0;
  std::int64_t files = 0;
  std::int64_t total_size = 0;
  std::int64_t upload_size = 0;
  std::int64_t upload_stored_size = 0;
  std::int64_t cluster_files = 0;
  std::int64_t cluster_data_size = 0;
  std::optional<std::int64_t> tiered_storage_size;
};
BOOST_DESCRIBE_STRUCT(ListEntry, (),
                      (name, start, end, plugin, attempt, nodes, files, total_size, upload_size, upload_stored_size,
                       cluster_files, cluster_data_size, tiered_storage_size))

/// ours: a backup whose manifest cannot be read.
struct UnreadableBackup {
  std::string name;
  std::string error;
  bool operator==(const UnreadableBackup&) const = default;
};
BOOST_DESCRIBE_STRUCT(UnreadableBackup, (), (name, error))

struct StorageList {
  static constexpr std::array kOmittedWhenDefault{"unreadable"};
  std::string storage_name;
  std::vector<ListEntry> backups;
  std::vector<UnreadableBackup> unreadable;  ///< ours
};
BOOST_DESCRIBE_STRUCT(StorageList, (), (storage_name, backups, unreadable))

struct ListResponse {
  std::vector<StorageList> storages;
};
BOOST_DESCRIBE_STRUCT(ListResponse, (), (storages))

/// ours: who holds a node's lock, beside Astacus' body of a 409.
struct LockHolder {
  std::string node;
  std::string locker;
  double expires_in = 0;  ///< seconds
};
BOOST_DESCRIBE_STRUCT(LockHolder, (), (node, locker, expires_in))

}  // namespace cherax::api
