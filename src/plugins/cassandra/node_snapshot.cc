#include "base/log.h"
#include "plugins/cassandra/extension.h"

namespace cherax::plugins::cassandra {

namespace fs = std::filesystem;

TakeSnapshotResult Extension::take_snapshot(std::stop_token stop) {
  TakeSnapshotResult result;
  result.start = clock_.now();
  run(options_->nodetool_command, {"snapshot", "-t", std::string{kSnapshotTag}}, std::move(stop));
  result.end = clock_.now();
  return result;
}

/// By hand, not by nodetool: it also has to work when Cassandra is down, and a directory that is not there is fine.
void Extension::remove_snapshot() {
  std::error_code missing;
  for (const auto& keyspace : fs::directory_iterator{data_directory(), missing}) {
    if (!keyspace.is_directory()) continue;
    for (const auto& table : fs::directory_iterator{keyspace.path()}) {
      const auto snapshots = table.path() / "snapshots";
      if (!fs::exists(snapshots / kSnapshotTag)) continue;
      fs::remove_all(snapshots / kSnapshotTag);
      if (fs::is_empty(snapshots)) fs::remove(snapshots);
    }
  }
}

}  // namespace cherax::plugins::cassandra
