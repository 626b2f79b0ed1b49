#include "snapshot/taken_files.h"

#include "snapshot/sqlite.h"

namespace cherax::snapshot {

namespace {

constexpr const char* kSchema = R"(
  CREATE TABLE files (
    path BLOB NOT NULL PRIMARY KEY,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    embedded_max INTEGER NOT NULL,
    immutable INTEGER NOT NULL,
    allocated_size INTEGER,
    digest BLOB,
    content BLOB
  ) WITHOUT ROWID;
)";

// Embedded files are no content of the repository: nobody looks for them by digest.
constexpr const char* kByDigest = "CREATE INDEX by_digest ON files (digest, path) WHERE content IS NULL";

constexpr const char* kNextFile =
    "SELECT path, size, mtime_ns, digest, content, allocated_size FROM files WHERE path > ? ORDER BY path LIMIT 1";
constexpr const char* kPending =
    "SELECT path, size, mtime_ns, inode, embedded_max, immutable FROM files WHERE path > ? AND digest IS NULL "
    "ORDER BY path LIMIT ?";
constexpr const char* kNextDigest =
    "SELECT digest, size FROM files WHERE content IS NULL AND digest > ? ORDER BY digest LIMIT 1";
constexpr const char* kNextSource =
    "SELECT path, size, mtime_ns, inode, immutable FROM files WHERE content IS NULL AND digest = ? AND path > ? "
    "ORDER BY path LIMIT 1";

FileStamp stamp_at(const Query& query, int column) {
  return {query.integer<std::uint64_t>(column), query.integer<std::int64_t>(column + 1),
          query.integer<std::uint64_t>(column + 2)};
}

}  // namespace

struct TakenFiles::Open {
  explicit Open(const std::filesystem::path& spool) : database(open_spool(spool, kSchema)) {}

  SQLite::Database database;
  SQLite::Statement add{database, "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"};
  SQLite::Statement fill{database,
                         "UPDATE files SET size = ?, mtime_ns = ?, inode = ?, digest = ?, content = ? WHERE path = ?"};
  SQLite::Statement drop{database, "DELETE FROM files WHERE path = ?"};
  SQLite::Statement contains{database, "SELECT 1 FROM files WHERE path = ?"};
  SQLite::Statement pending{database, kPending};
  SQLite::Statement next_file{database, kNextFile};
  SQLite::Statement next_digest{database, kNextDigest};
  SQLite::Statement next_source{database, kNextSource};
};

TakenFiles::TakenFiles(std::filesystem::path spool) : spool_(std::move(spool)) { clear(); }

TakenFiles::~TakenFiles() = default;

template <class Work>
auto TakenFiles::locked(Work&& work) -> decltype(work()) {
  std::scoped_lock lock{mutex_};
  return with_sqlite("the list of the files of the snapshot", work);
}

void TakenFiles::clear() {
  locked([&] {
    open_.reset();
    open_ = std::make_unique<Open>(spool_);
  });
}

void TakenFiles::add(std::string_view path, const FileStamp& stamp, const Rules& rules,
                     const std::optional<Index::Entry>& entry, std::optional<std::uint64_t> allocated_size) {
  locked([&] {
    Query{open_->add,
          path,
          stamp.size,
          stamp.mtime_ns,
          stamp.inode,
          rules.embedded_file_size_max,
          rules.immutable,
          allocated_size,
          entry ? std::optional{entry->digest} : std::nullopt,
          entry ? entry->content : std::nullopt}
        .run();
  });
}

void TakenFiles::fill(std::string_view path, const FileStamp& stamp, const Index::Entry& entry) {
  locked([&] { Query{open_->fill, stamp.size, stamp.mtime_ns, stamp.inode, entry.digest, entry.content, path}.run(); });
}

void TakenFiles::drop(std::string_view path) {
  locked([&] { Query{open_->drop, path}.run(); });
}

bool TakenFiles::contains(std::string_view path) {
  return locked([&] { return Query{open_->contains, path}.row(); });
}

std::vector<TakenFiles::Pending> TakenFiles::pending(std::string_view after, std::size_t limit) {
  return locked([&] {
    std::vector<Pending> files;
    Query query{open_->pending, after, limit};
    while (query.row()) {
      const Rules rules{query.integer<std::uint64_t>(4), query.integer<int>(5) != 0};
      files.push_back({query.text(0), stamp_at(query, 1), rules});
    }
    return files;
  });
}

TakenFiles::Sum TakenFiles::complete() {
  return locked([&] {
    open_->database.exec(kByDigest);
    SQLite::Statement sum{open_->database, "SELECT count(*), coalesce(sum(size), 0) FROM files"};
    Query query{sum};
    query.row();
    return Sum{query.integer<std::uint64_t>(0), query.integer<std::uint64_t>(1)};
  });
}

std::optional<SnapshotFile> TakenFiles::next_file(std::string_view after) {
  return locked([&]() -> std::optional<SnapshotFile> {
    Query query{open_->next_file, after};
    if (!query.row()) return std::nullopt;
    SnapshotFile file{query.text(0), query.integer<std::uint64_t>(1), query.integer<std::int64_t>(2), {}};
    if (auto content = query.bytes(4)) {
      file.body = *std::move(content);
    } else {
      file.body = query.digest(3);
    }
    if (!query.is_null(5)) file.allocated_size = query.integer<std::uint64_t>(5);
    return file;
  });
}

std::optional<std::pair<Digest, std::uint64_t>> TakenFiles::next_digest(const std::optional<Digest>& after) {
  return locked([&]() -> std::optional<std::pair<Digest, std::uint64_t>> {
    Query query{open_->next_digest, after ? ByteView{after->bytes} : ByteView{}};
    if (!query.row()) return std::nullopt;
    return std::pair{query.digest(0), query.integer<std::uint64_t>(1)};
  });
}

std::optional<TakenFiles::Source> TakenFiles::next_source(const Digest& digest, std::string_view after) {
  return locked([&]() -> std::optional<Source> {
    Query query{open_->next_source, digest, after};
    if (!query.row()) return std::nullopt;
    return Source{query.text(0), stamp_at(query, 1), query.integer<int>(4) != 0};
  });
}

}  // namespace cherax::snapshot
