#include "snapshot/index.h"

#include <fcntl.h>

#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "snapshot/hash.h"
#include "snapshot/sqlite.h"

namespace cherax::snapshot {

namespace {

constexpr int kFormatVersion = 1;
constexpr std::size_t kWritesInTransaction = 1000;
constexpr std::size_t kPathsInPage = 1000;
constexpr int kBusyMilliseconds = 1000;  // a predecessor that is just ending

constexpr const char* kSchema = R"(
  CREATE TABLE IF NOT EXISTS format (version INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS files (
    path BLOB NOT NULL PRIMARY KEY,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    digest BLOB NOT NULL,
    content BLOB
  ) WITHOUT ROWID;
)";

bool is_damage(const SQLite::Exception& error) {
  return error.getErrorCode() == SQLITE_CORRUPT || error.getErrorCode() == SQLITE_NOTADB;
}

SQLite::Database open_database(const std::filesystem::path& file) {
  // Embedded files may be secrets. (Opening and closing a database that is in use would lose its POSIX locks.)
  if (!status_of(file)) File{file, O_RDWR | O_CREAT, 0600}.close();
  SQLite::Database database{file, SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX, kBusyMilliseconds};
  database.exec("PRAGMA locking_mode=EXCLUSIVE");  // before the log is opened: then it needs no shared memory
  database.exec("PRAGMA journal_mode=WAL");
  database.exec("PRAGMA synchronous=NORMAL");
  database.exec("PRAGMA journal_size_limit=16777216");
  database.exec(kCacheSize);
  database.exec(kSchema);
  return database;
}

}  // namespace

struct Index::Open {
  explicit Open(const std::filesystem::path& file) : database(open_database(file)) {}

  // Asked of SQLite, which ends a transaction by itself after some failures.
  bool in_transaction() const { return ::sqlite3_get_autocommit(database.getHandle()) == 0; }
  void begin() {
    if (!in_transaction()) database.exec("BEGIN");
  }

  /// Of a new database, ours.
  std::int64_t format_version() {
    SQLite::Statement version{database, "SELECT version FROM format"};
    if (version.executeStep()) return version.getColumn(0).getInt64();
    database.exec(fmt::format("INSERT INTO format VALUES ({})", kFormatVersion));
    return kFormatVersion;
  }

  SQLite::Database database;
  SQLite::Statement find{database, "SELECT size, mtime_ns, inode, settled, digest, content FROM files WHERE path = ?"};
  SQLite::Statement record{database, "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)"};
  SQLite::Statement forget{database, "DELETE FROM files WHERE path = ?"};
  SQLite::Statement page{database, "SELECT path FROM files WHERE path > ? ORDER BY path LIMIT ?"};
  SQLite::Statement count{database, "SELECT count(*) FROM files"};
};

Index::Index(std::filesystem::path file) : file_(std::move(file)) { open(); }

Index::~Index() {
  try {
    commit();
  } catch (const Error& error) {
    log::warning("{}", error.message());
  }
}

void Index::open() {
  try {
    open_ = std::make_unique<Open>(file_);
    const auto version = open_->format_version();
    if (version == kFormatVersion) return;
    set_aside(fmt::format("its format version is {}, this program writes {}", version, kFormatVersion));
  } catch (const SQLite::Exception& error) {
    if (error.getErrorCode() == SQLITE_BUSY) {
      fail(ErrorKind::invalid, "the index {} is in use by another process: give each server its own db_path",
           file_.string());
    }
    if (error.getErrorCode() != SQLITE_ERROR && !is_damage(error)) {
      fail(ErrorKind::internal, "opening the index {}: {}", file_.string(), error.what());
    }
    set_aside(error.what());  // SQLITE_ERROR: the tables are others than ours
  }
}

void Index::set_aside(std::string_view why) {
  const auto aside = file_.string() + ".set-aside";
  log::warning("the index {} is renamed to {} and begun anew, so that every file is read again: {}", file_.string(),
               aside, why);
  open_.reset();
  uncommitted_ = 0;
  std::filesystem::rename(file_, aside);
  for (const auto* suffix : {"-wal", "-shm"}) remove_if_exists(file_.string() + suffix);
  with_sqlite(fmt::format("creating the index {}", file_.string()), [&] {
    open_ = std::make_unique<Open>(file_);
    open_->format_version();
  });
}

/// Damage found by `work` makes an empty index, on which `work` is repeated.
template <class Work>
auto Index::repaired(Work&& work) -> decltype(work()) {
  return with_sqlite(fmt::format("the index {}", file_.string()), [&] {
    try {
      return work();
    } catch (const SQLite::Exception& error) {
      if (!is_damage(error)) throw;
      set_aside(error.what());
      return work();
    }
  });
}

std::optional<Index::Entry> Index::find(std::string_view path, const FileStamp& stamp, bool immutable) {
  return repaired([&]() -> std::optional<Entry> {
    Query query{open_->find, path};
    if (!query.row()) return std::nullopt;
    const FileStamp recorded{query.integer<std::uint64_t>(0), query.integer<std::int64_t>(1),
                             query.integer<std::uint64_t>(2)};
    if (recorded != stamp || (query.integer<int>(3) == 0 && !immutable)) return std::nullopt;
    const auto digest = Digest::from_bytes(query.blob(4));
    if (!digest) return std::nullopt;
    // Nothing after this checks an embedded file any more, so a flipped bit here would go into the backup.
    if (!query.is_null(5) && digest_of_bytes(query.blob(5)) != *digest) return std::nullopt;
    return Entry{*digest, query.bytes(5)};
  });
}

void Index::written() {
  if (++uncommitted_ >= kWritesInTransaction) commit();
}

void Index::record(std::string_view path, const FileStamp& stamp, const Entry& entry, bool settled) {
  repaired([&] {
    open_->begin();
    Query{open_->record, path, stamp.size, stamp.mtime_ns, stamp.inode, settled, entry.digest, entry.content}.run();
    written();
  });
}

void Index::forget(std::string_view path) {
  repaired([&] {
    open_->begin();
    Query{open_->forget, path}.run();
    written();
  });
}

void Index::forget_unless(const std::function<bool(std::string_view)>& keep) {
  std::vector<std::string> paths{{}};
  while (!paths.empty()) {
    const auto after = paths.back();
    paths.clear();
    repaired([&] {
      Query query{open_->page, after, kPathsInPage};
      while (query.row()) paths.push_back(query.text(0));
    });
    for (const auto& path : paths) {
      if (!keep(path)) forget(path);
    }
  }
}

std::uint64_t Index::size() {
  return repaired([&] {
    Query query{open_->count};
    query.row();
    return query.integer<std::uint64_t>(0);
  });
}

void Index::commit() {
  if (uncommitted_ == 0) return;
  repaired([&] {
    if (open_->in_transaction()) open_->database.exec("COMMIT");
    uncommitted_ = 0;
  });
}

}  // namespace cherax::snapshot
