#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Names of what lies below a data directory, as Cassandra 4.0 to 5.0 writes it
/// (org.apache.cassandra.io.sstable.Descriptor, org.apache.cassandra.db.Directories). Pure: no file is looked at.
namespace cherax::cassandra {

/// `orders-c70f6370e7d911f1a4d4c39e4b0bc75c`
struct TableDirectory {
  std::string table;
  std::string id;  ///< 32 lower-case hex digits: the table's id without dashes
  std::string name() const { return table + "-" + id; }
  bool operator==(const TableDirectory&) const = default;
};
std::optional<TableDirectory> parse_table_directory(std::string_view name);
/// From the id as CQL writes it, with dashes.
TableDirectory table_directory(std::string_view table, std::string_view id);

/// One file of an SSTable: `nb-1-big-Data.db`, `da-3h5r_1s58_5pz4g2kj98p3y258wu-bti-Partitions.db`.
struct SSTableFile {
  std::string version;    ///< two letters: nb, oa, da …
  std::string id;         ///< a number, or a time-based id since 4.1
  std::string format;     ///< big or bti
  std::string component;  ///< `Data.db`, `TOC.txt`, `SAI+aa+orders_idx+Meta.db`
  /// What its files have in common: `nb-1-big`.
  std::string sstable() const { return version + "-" + id + "-" + format; }
  bool operator==(const SSTableFile&) const = default;
};
std::optional<SSTableFile> parse_sstable_file(std::string_view name);

/// A component of a storage-attached index: `SAI+aa+orders_idx+Meta.db`; without `index` it belongs to all of the
/// table's indexes: `SAI+aa+GroupMeta.db`.
struct SaiComponent {
  std::string version;
  std::string index;
  std::string name;
  bool operator==(const SaiComponent&) const = default;
};
std::optional<SaiComponent> parse_sai_component(std::string_view component);

/// Where a file lies below a data directory: `<keyspace>/<table>-<id>/[snapshots/<tag>/|backups/][.<index>/]<file>`.
struct DataPath {
  enum class Place { live, snapshot, backups };
  std::string keyspace;
  TableDirectory table;
  Place place = Place::live;
  std::string tag;    ///< of a snapshot
  std::string index;  ///< of a legacy index's hidden directory
  std::string file;
  bool operator==(const DataPath&) const = default;
};
/// nullopt for anything else: deeper, or with an empty, `.` or `..` part.
std::optional<DataPath> parse_data_path(std::string_view path);

/// Globs, below the parent of the data directory, for the files of a snapshot: Astacus' three, then those of the hidden
/// directories of legacy indexes, which Astacus leaves out. manifest.json and schema.cql are not among them.
std::vector<std::string> snapshot_globs(std::string_view tag);

}  // namespace cherax::cassandra
