#include "base/log.h"
#include "plugins/cassandra/extension.h"

namespace cherax::plugins::cassandra {

namespace fs = std::filesystem;

namespace {

/// Calls `visit` with the directory of each table below a data directory.
template <class Visit>
void for_each_table(const fs::path& data, Visit visit) {
  std::error_code missing;
  for (const auto& keyspace : fs::directory_iterator{data, missing}) {
    if (!keyspace.is_directory()) continue;
    for (const auto& table : fs::directory_iterator{keyspace.path()}) {
      if (table.is_directory()) visit(table.path());
    }
  }
}

}  // namespace

TakeSnapshotResult Extension::take_snapshot(std::stop_token stop) {
  require_data_directory();
  TakeSnapshotResult result;
  result.start = clock_.now();
  run(options_->nodetool_command, {"snapshot", "-t", std::string{kSnapshotTag}}, std::move(stop));
  result.end = clock_.now();
  bool has_files = false;
  for_each_table(data_directory(), [&](const fs::path& table) {
    require_no_link(table.parent_path());
    require_no_link(table);
    const auto snapshot = table / "snapshots" / kSnapshotTag;
    has_files = has_files || (fs::exists(snapshot) && !fs::is_empty(snapshot));
  });
  if (!has_files) {
    fail(ErrorKind::invalid, "nodetool has taken the snapshot \"{}\", but below {} there is no file of it",
         kSnapshotTag, data_directory().string());
  }
  return result;
}

/// By hand, not by nodetool: it also has to work when Cassandra is down, and a directory that is not there is fine.
void Extension::remove_snapshot() {
  const auto remove_below = [](const fs::path& data) {
    for_each_table(data, [](const fs::path& table) {
      const auto snapshots = table / "snapshots";
      if (!fs::exists(snapshots / kSnapshotTag)) return;
      fs::remove_all(snapshots / kSnapshotTag);
      if (fs::is_empty(snapshots)) fs::remove(snapshots);
    });
  };
  remove_below(data_directory());
  if (const auto system = directories().local_system_data) remove_below(*system);
}

}  // namespace cherax::plugins::cassandra
