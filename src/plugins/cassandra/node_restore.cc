#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "base/log.h"
#include "cassandra/schema.h"
#include "cassandra/sstable.h"
#include "plugins/cassandra/extension.h"

namespace cherax::plugins::cassandra {

namespace lib = ::cherax::cassandra;
namespace fs = std::filesystem;

namespace {

void move_to(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    fail_errno(errno, fmt::format("renaming {} to {}{}", from.string(), to.string(),
                                  errno == EBUSY ? " (a mount point? then use --discard-old)" : ""));
  }
}

/// In place of one that was set aside: Cassandra could not make it where the directory above is not its own.
void make_like(const fs::path& model, const fs::path& directory) {
  fs::create_directory(directory);
  const auto status = status_of(model).value();
  if (::chown(directory.c_str(), status.st_uid, status.st_gid) != 0 && errno != EPERM)
    fail_errno(errno, fmt::format("changing the owner of {}", directory.string()));
  fs::permissions(directory, fs::perms{status.st_mode & 07777});
}

fs::path set_aside_name(const fs::path& directory, const std::string& suffix) {
  if (suffix.empty() || suffix.find('/') != std::string::npos)
    fail(ErrorKind::invalid, "\"{}\" cannot be the suffix of a directory", suffix);
  fs::path name = directory;
  name += suffix;
  return name;
}

bool is_wanted(const std::string& keyspace, const PlaceRequest& request) {
  const auto has = [&](const std::vector<std::string>& names) {
    return std::ranges::find(names, keyspace) != names.end();
  };
  return !has(request.keyspaces_to_skip) && (request.keyspaces.empty() || has(request.keyspaces));
}

bool holds_sstables(const fs::path& table) {
  return std::ranges::any_of(fs::directory_iterator{table}, [](const auto& entry) {
    return lib::parse_sstable_file(entry.path().filename().string()).has_value();
  });
}

/// The keyspace of roles and permissions. Its tables are replaced, not added to: whoever restores the schema is granted
/// every right on what he creates, which is not in the backup.
constexpr std::string_view kRolesKeyspace = "system_auth";

void remove_sstables(const fs::path& table) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator{table}) {
    if (lib::parse_sstable_file(entry.path().filename().string())) files.push_back(entry.path());
  }
  for (const auto& file : files) fs::remove(file);
}

/// SSTables that are placed are not in the views of their tables yet. At its start Cassandra builds every view that it
/// does not find in these tables (org.apache.cassandra.db.SystemKeyspace, service.CassandraDaemon).
void forget_built_views(const fs::path& data) {
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator{data / "system", missing}) {
    const auto table = lib::parse_table_directory(entry.path().filename().string());
    if (table && (table->table == "built_views" || table->table == "view_builds_in_progress"))
      remove_sstables(entry.path());
  }
}

/// Where the files of a snapshot belong: into the directory that they are in; or, when that table has been created
/// again under another id, into that of the same name.
fs::path target_of(const fs::path& table, bool match_name) {
  const auto own = lib::parse_table_directory(table.filename().string());
  if (!own || !match_name) return table;
  // The one that Cassandra made and that is not merely the place of our download has no snapshot in it.
  for (const auto& other : fs::directory_iterator{table.parent_path()}) {
    const auto name = lib::parse_table_directory(other.path().filename().string());
    if (name && name->table == own->table && name->id != own->id &&
        !fs::exists(other.path() / "snapshots" / kSnapshotTag))
      return other.path();
  }
  return table;
}

/// Cassandra may run as another user of the group that the files belong to, and a restored file's mode is less the
/// umask.
void let_group_read(const fs::path& directory) {
  constexpr auto kLeast = fs::perms{0640};
  for (const auto& entry : fs::recursive_directory_iterator{directory}) {
    const auto status = entry.symlink_status();
    if (fs::is_regular_file(status) && (status.permissions() & kLeast) != kLeast)
      fs::permissions(entry.path(), kLeast, fs::perm_options::add);
  }
}

/// Moves the files of one table's snapshot.
void place_table(const fs::path& table, const fs::path& target, bool expect_empty) {
  if (expect_empty && holds_sstables(target)) {
    fail(ErrorKind::invalid, "{} holds SSTables already", target.string());
  }
  const auto snapshot = table / "snapshots" / kSnapshotTag;
  let_group_read(snapshot);
  for (const auto& file : fs::directory_iterator{snapshot}) move_to(file.path(), target / file.path().filename());
  fs::remove_all(snapshot);
  if (fs::is_empty(table / "snapshots")) fs::remove(table / "snapshots");
  if (target != table && fs::is_empty(table)) fs::remove(table);
}

void place_keyspace(const fs::path& keyspace, const PlaceRequest& request) {
  // Listed before anything is moved: directories must not change under the iterator.
  std::vector<fs::path> tables, others;
  for (const auto& table : fs::directory_iterator{keyspace}) {
    const bool has_snapshot = fs::is_directory(table.path() / "snapshots" / kSnapshotTag);
    (has_snapshot ? tables : others).push_back(table.path());
  }
  const auto target = [&](const fs::path& table) { return target_of(table, request.match_tables_by != "cfid"); };
  if (keyspace.filename() == kRolesKeyspace && !tables.empty() && !request.expect_empty_target) {
    for (const fs::path& table : tables) remove_sstables(target(table));
    for (const fs::path& table : others) remove_sstables(table);
  }
  for (const fs::path& table : tables) place_table(table, target(table), request.expect_empty_target);
}

}  // namespace

void Extension::clear(const ClearRequest& request) {
  require_data_directory();
  const auto all = directories().all();
  const auto marker = restore_marker();
  auto begun = marker.read();
  if (begun && !marker.is_alone(*begun, directories())) {
    begun->given_up = true;
    marker.write(*begun);
  }
  if (const auto sign = lib::sign_of_life(traces())) {
    fail(ErrorKind::invalid, "nothing is cleared while Cassandra runs: {}", *sign);
  }
  const bool is_same = begun && begun->suffix == request.suffix;
  const bool continued = is_same && !begun->given_up;
  for (const fs::path& directory : all) {
    const auto aside = set_aside_name(directory, request.suffix);
    if (!status_of(aside) || continued || (is_same && request.discard)) continue;
    fail(ErrorKind::invalid, "{} is there already: move it away", aside.string());
  }
  if (!continued) marker.write({.suffix = request.suffix});
  for (const fs::path& directory : all) {
    const auto aside = set_aside_name(directory, request.suffix);
    // What was the operator's is aside already: by an earlier attempt at this restore, which has left the rest.
    const bool is_ours = status_of(aside) || (continued && begun->cleared);
    if (status_of(directory) && (request.discard || is_ours)) {
      for (const auto& entry : fs::directory_iterator{directory}) fs::remove_all(entry.path());
    } else if (status_of(directory)) {
      move_to(directory, aside);
    }
    if (!status_of(directory) && status_of(aside)) make_like(aside, directory);
  }
  marker.write({.suffix = request.suffix, .cleared = true, .inodes = inodes_of(all)});
}

void Extension::place(const PlaceRequest& request) {
  require_data_directory();
  std::error_code missing;
  for (const auto& keyspace : fs::directory_iterator{data_directory(), missing}) {
    if (keyspace.is_directory() && is_wanted(keyspace.path().filename().string(), request))
      place_keyspace(keyspace.path(), request);
  }
  const auto directories = this->directories();
  forget_built_views(data_directory());
  if (directories.local_system_data) forget_built_views(*directories.local_system_data);
  sync_file_system(node_.root);
}

void Extension::finish_restore(const FinishRequest& request) {
  for (const fs::path& directory : directories().all()) fs::remove_all(set_aside_name(directory, request.suffix));
  remove_if_exists(edited_configuration());
  restore_marker().remove();
}

}  // namespace cherax::plugins::cassandra
