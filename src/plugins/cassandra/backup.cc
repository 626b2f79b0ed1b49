#include "cassandra/addresses.h"
#include "cassandra/schema_reader.h"
#include "cassandra/sstable.h"
#include "plugins/cassandra/cassandra_plugin.h"
#include "plugins/cassandra/ring_checks.h"

namespace cherax::plugins::cassandra {

using coordinator::StepName;
namespace lib = ::cherax::cassandra;

namespace {

constexpr StepName kValidate{"validate the configuration against the cluster", "ValidateConfigurationStep"};
constexpr StepName kSchemaHash{"require one schema hash on all nodes", "RetrieveSchemaHashStep"};
constexpr StepName kSchema{"retrieve the schema", "PrepareCassandraManifestStep"};
constexpr StepName kRemoveOld{"remove an old snapshot", "CassandraSubOpStep"};
constexpr StepName kTake{"take the snapshot on all nodes", "CassandraSubOpStep"};
constexpr StepName kUnchanged{"require schema, host ids and tokens to be unchanged", "AssertSchemaUnchanged"};
constexpr StepName kSnapshot{"snapshot the files", "SnapshotStep"};
constexpr StepName kFindMissing{"find what object storage lacks", "ListHexdigestsStep"};
constexpr StepName kUpload{"upload it", "UploadBlocksStep"};
constexpr StepName kRemove{"remove the snapshot", "CassandraSubOpStep"};
constexpr StepName kRelease{"release the hard links", "SnapshotReleaseStep"};
constexpr StepName kWriteManifest{"write the manifest", "UploadManifestStep"};
constexpr std::array kSteps{&kValidate, &kSchemaHash,  &kSchema, &kRemoveOld, &kTake,    &kUnchanged,
                            &kSnapshot, &kFindMissing, &kUpload, &kRemove,    &kRelease, &kWriteManifest};

constexpr std::chrono::minutes kSchemaTimeout{5};

/// Cassandra's snapshot pins disk space: it goes when the attempt ends, however it does.
class SnapshotGuard {
 public:
  explicit SnapshotGuard(coordinator::NodeCalls& nodes) : nodes_(nodes) {}
  ~SnapshotGuard() {
    if (held_) nodes_.clean_up("cassandra/remove-snapshot", api::NodeRequest{});
  }
  SnapshotGuard(const SnapshotGuard&) = delete;
  SnapshotGuard& operator=(const SnapshotGuard&) = delete;

  std::vector<TakeSnapshotResult> take() {
    held_ = true;
    return read_results<TakeSnapshotResult>(nodes_.all("cassandra/take-snapshot", api::NodeRequest{}));
  }
  void remove() {
    nodes_.all("cassandra/remove-snapshot", api::NodeRequest{});
    held_ = false;
  }

 private:
  coordinator::NodeCalls& nodes_;
  bool held_ = false;
};

std::vector<api::SnapshotGroup> snapshot_groups() {
  std::vector<api::SnapshotGroup> groups;
  for (const auto& glob : lib::snapshot_globs(kSnapshotTag)) {
    groups.push_back({.root_glob = glob, .excluded_names = {}, .embedded_file_size_max = 200, .immutable = true});
  }
  return groups;
}

lib::SchemaReading read_schema(const lib::ClientOptions& client, const std::string& expected_hash) {
  const auto deadline = Deadline::in(kSchemaTimeout);
  lib::cql::Connection connection{lib::resolve_client(client), deadline};
  auto reading = lib::read_schema(connection, deadline);
  if (reading.version != expected_hash) {
    fail(ErrorKind::transient, "the schema changed while it was read: {} became {}", expected_hash, reading.version);
  }
  for (const auto& table : lib::tables_without_statement(reading.schema)) {
    log::warning(
        "{} is a compact table that Cassandra does not describe: its files are backed up, but a restore by two starts "
        "leaves it out",
        table);
  }
  return reading;
}

PluginData plugin_data(const lib::SchemaReading& schema, const std::vector<RingResult>& rings,
                       const std::vector<TakeSnapshotResult>& taken) {
  PluginData data{schema.schema, {}, schema.system_keyspaces};
  for (std::size_t node = 0; node < rings.size(); ++node) {
    const RingResult& ring = rings[node];
    data.nodes.push_back({ring.address, ring.host_id, ring.listen_address, ring.rack, ring.tokens, ring.datacenter,
                          ring.release_version, ring.partitioner, std::ssize(ring.tokens), taken[node].start,
                          taken[node].end});
  }
  return data;
}

}  // namespace

coordinator::StepList CassandraPlugin::backup_steps() const { return kSteps; }

void CassandraPlugin::backup(coordinator::Backup& backup) {
  coordinator::Plan& plan = backup.plan();
  coordinator::NodeCalls& nodes = backup.nodes();
  const coordinator::Cluster& cluster = backup.cluster();
  SnapshotGuard snapshot{nodes};

  const auto rings = plan.step(kValidate, [&] {
    nodes.all("cassandra/get-configuration", api::NodeRequest{});
    return require_ring(nodes, cluster, options_);
  });
  const auto hash = plan.step(kSchemaHash, [&] { return require_one_schema_hash(nodes, cluster); });
  const auto schema = plan.step(kSchema, [&] { return read_schema(options_.client, hash); });
  plan.step(kRemoveOld, [&] { nodes.all("cassandra/remove-snapshot", api::NodeRequest{}); });
  const auto taken = plan.step(kTake, [&] { return snapshot.take(); });
  plan.step(kUnchanged, [&] {
    if (require_one_schema_hash(nodes, cluster) != hash)
      fail(ErrorKind::transient, "the schema changed during the snapshot");
    require_same_ring(rings, require_ring(nodes, cluster, options_), cluster);
  });
  plan.step(kSnapshot, [&] { backup.snapshot(snapshot_groups()); });
  plan.step(kFindMissing, [&] { backup.find_missing(); });
  plan.step(kUpload, [&] { backup.upload(); });
  plan.step(kRemove, [&] { snapshot.remove(); });
  plan.step(kRelease, [&] { backup.release(); });
  plan.step(kWriteManifest, [&] { backup.write_manifest(name(), json::to_value(plugin_data(schema, rings, taken))); });
}

}  // namespace cherax::plugins::cassandra
