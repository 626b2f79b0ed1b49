#pragma once

#include <boost/describe/class.hpp>
#include <optional>
#include <string>
#include <vector>

#include "api/messages.h"
#include "plugins/cassandra/options.h"

/// What the coordinator's and the node's half of the plugin say to each other: POST /node/cassandra/<operation>. Those
/// of Astacus keep its shapes; the others are ours.
namespace cherax::plugins::cassandra {

/// get-schema-hash
struct SchemaHashResult : api::NodeResult {
  std::string schema_hash;
};
BOOST_DESCRIBE_STRUCT(SchemaHashResult, (api::NodeResult), (schema_hash))

/// take-snapshot: Astacus' NodeResult, and ours: when it began and ended.
struct TakeSnapshotResult : api::NodeResult {
  std::optional<Timestamp> start;
  std::optional<Timestamp> end;
};
BOOST_DESCRIBE_STRUCT(TakeSnapshotResult, (api::NodeResult), (start, end))

/// get-configuration: what is known of a node without its Cassandra.
struct ConfigurationResult : api::NodeResult {
  std::string cluster_name;
  std::vector<std::string> own_addresses;                ///< how other nodes reach it
  std::vector<std::string> seeds;                        ///< as configured
  std::vector<std::vector<std::string>> seed_addresses;  ///< of each of them, the IP addresses that may be asked
  std::string address_error;  ///< why some are not known; a backup goes on without, a restore does not
  int num_tokens = 1;
  std::string datacenter;  ///< by the snitch's files; empty: not known
  std::string rack;
  std::string restoring;  ///< the suffix of a restore that was begun here, has not ended and owns what is here
  bool cleared = false;   ///< by that restore: nothing of an operator's is left in the directories
  std::string given_up;   ///< the same of one that has set something aside, but what is here now is an operator's
  std::vector<std::string> user_tables;  ///< some of the tables that are here, `keyspace.table`
  std::uint64_t data_bytes = 0;          ///< what emptying the directories that a restore clears adds to the next
  std::uint64_t available_bytes = 0;     ///< on the file system of the data
  std::uint64_t available_files = 0;
  AccessLevel access_level = AccessLevel::write;
  std::vector<std::string> mount_points;  ///< those of the directories that a restore clears: they cannot be renamed
};
BOOST_DESCRIBE_STRUCT(ConfigurationResult, (api::NodeResult),
                      (cluster_name, own_addresses, seeds, seed_addresses, address_error, num_tokens, datacenter, rack,
                       restoring, cleared, given_up, user_tables, data_bytes, available_bytes, available_files,
                       access_level, mount_points))

/// A member of the ring as `nodetool status` on the node shows it.
struct Member {
  std::string address;
  std::string host_id;
  std::string datacenter;
  std::string rack;
  std::string liveness;  ///< up, down, unknown
  std::string state;     ///< normal, joining, leaving, moving, unknown
  bool operator==(const Member&) const = default;
};
BOOST_DESCRIBE_STRUCT(Member, (), (address, host_id, datacenter, rack, liveness, state))

/// get-ring: what the node's Cassandra says of itself and of the ring.
struct RingResult : api::NodeResult {
  bool answers = false;  ///< CQL and nodetool
  bool alive = false;    ///< something of it runs, though perhaps it does not answer yet
  bool denied = false;   ///< CQL or nodetool refuses Cherax, most likely its login
  std::string why_not;   ///< what kept it from answering
  std::string address;   ///< broadcast address
  std::string listen_address;
  std::string host_id;
  std::string datacenter;
  std::string rack;
  std::string release_version;
  std::string partitioner;
  std::string schema_version;
  std::vector<std::string> tokens;
  std::vector<Member> members;
};
BOOST_DESCRIBE_STRUCT(RingResult, (api::NodeResult),
                      (answers, alive, denied, why_not, address, listen_address, host_id, datacenter, rack,
                       release_version, partitioner, schema_version, tokens, members))

/// stop-cassandra
struct StopRequest : api::NodeRequest {
  bool drain = false;    ///< ours: flush first; a node that could not be drained gets its commit log emptied
  bool cleared = false;  ///< ours: by the same operation, so that what is stopped is its own
};
BOOST_DESCRIBE_STRUCT(StopRequest, (api::NodeRequest), (drain, cleared))

/// unrestore-sstables: empties the node for a restore.
struct ClearRequest : api::NodeRequest {
  std::string suffix = ".before-restore";  ///< ours: what a directory's name gets when it is set aside
  bool discard = false;                    ///< ours: remove instead
};
BOOST_DESCRIBE_STRUCT(ClearRequest, (api::NodeRequest), (suffix, discard))

/// start-cassandra
struct StartRequest : api::NodeRequest {
  std::optional<std::vector<std::string>> tokens;  ///< for a node without any
  std::optional<std::string> replace_address_first_boot;
  std::optional<bool> skip_bootstrap_streaming;
};
BOOST_DESCRIBE_STRUCT(StartRequest, (api::NodeRequest), (tokens, replace_address_first_boot, skip_bootstrap_streaming))

/// restore-sstables
struct PlaceRequest : api::NodeRequest {
  std::string table_glob;  ///< of Astacus; without effect
  std::vector<std::string> keyspaces_to_skip;
  std::string match_tables_by = "cfname";  ///< cfid: only a table of the same id
  bool expect_empty_target = false;        ///< a table that has SSTables already is an error
  std::vector<std::string> keyspaces;      ///< ours: only these, when given
};
BOOST_DESCRIBE_STRUCT(PlaceRequest, (api::NodeRequest),
                      (table_glob, keyspaces_to_skip, match_tables_by, expect_empty_target, keyspaces))

/// finish-restore
struct FinishRequest : api::NodeRequest {
  std::string suffix = ".before-restore";
};
BOOST_DESCRIBE_STRUCT(FinishRequest, (api::NodeRequest), (suffix))

/// get-builds: which views and indexes the node has ready, as `keyspace.name`, and what it has not delivered to others.
struct BuildsResult : api::NodeResult {
  std::vector<std::string> views;
  std::vector<std::string> indexes;
  std::int64_t undelivered_batches = 0;         ///< view updates may be among them
  std::int64_t undelivered_hint_files = 0;      ///< so here; a hint has no file at first
  std::int64_t hints_flush_period_ms = 10'000;  ///< but gets it within this time
};
BOOST_DESCRIBE_STRUCT(BuildsResult, (api::NodeResult),
                      (views, indexes, undelivered_batches, undelivered_hint_files, hints_flush_period_ms))

}  // namespace cherax::plugins::cassandra
