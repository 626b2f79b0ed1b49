#include "snapshot/wanted_files.h"

#include "snapshot/hash.h"
#include "snapshot/relative_path.h"
#include "snapshot/sqlite.h"

namespace cherax::snapshot {

namespace {

constexpr const char* kSchema = R"(
  CREATE TABLE files (
    path BLOB NOT NULL PRIMARY KEY,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    digest BLOB NOT NULL,
    state INTEGER NOT NULL,
    in_the_way INTEGER NOT NULL,
    freed INTEGER,
    device INTEGER NOT NULL,
    news_of_inode INTEGER,
    has_holes INTEGER NOT NULL,
    content BLOB
  ) WITHOUT ROWID;
)";

// The numbers in the queries are those of State: SQLite uses a partial index only for a query that repeats its words.
constexpr int number_of(auto value) { return static_cast<int>(value); }
static_assert(number_of(WantedFiles::State::present) == 2 && number_of(WantedFiles::State::wrong_time) == 3 &&
              number_of(WantedFiles::State::missing) == 4 && number_of(WantedFiles::State::restored) == 5);

constexpr const char* kIndexes = R"(
  CREATE INDEX missing ON files (size DESC, digest, path) WHERE state = 4;
  CREATE INDEX there ON files (digest, path) WHERE state IN (2, 3, 5);
)";

const std::string kSelect =
    "SELECT path, size, mtime_ns, digest, state, in_the_way, freed, device, news_of_inode, has_holes FROM files ";

WantedFiles::File file_of(const Query& query) {
  WantedFiles::File file;
  file.path = query.text(0);
  file.size = query.integer<std::uint64_t>(1);
  file.mtime_ns = query.integer<std::int64_t>(2);
  file.digest = query.digest(3);
  file.state = static_cast<WantedFiles::State>(query.integer<int>(4));
  file.in_the_way = static_cast<WantedFiles::InTheWay>(query.integer<int>(5));
  if (!query.is_null(6)) file.freed = query.integer<std::uint64_t>(6);
  file.device = query.integer<std::uint64_t>(7);
  if (!query.is_null(8)) file.news_of_inode = query.integer<std::uint64_t>(8);
  file.has_holes = query.integer<int>(9) != 0;
  return file;
}

}  // namespace

struct WantedFiles::Open {
  explicit Open(const std::filesystem::path& spool) : database(open_spool(spool, kSchema)) {}

  SQLite::Database database;
  SQLite::Statement add{database, "INSERT OR IGNORE INTO files VALUES (?, ?, ?, ?, 0, 0, NULL, 0, NULL, ?, ?)"};
  SQLite::Statement update{
      database, "UPDATE files SET state = ?, in_the_way = ?, freed = ?, device = ?, news_of_inode = ? WHERE path = ?"};
  SQLite::Statement contains{database, "SELECT 1 FROM files WHERE path = ?"};
  SQLite::Statement content{database, "SELECT content FROM files WHERE path = ?"};
  SQLite::Statement next{database, kSelect + "WHERE path > ? ORDER BY path LIMIT 1"};
  SQLite::Statement next_in_state{database, kSelect + "WHERE state = ? AND path > ? ORDER BY path LIMIT 1"};
  SQLite::Statement first_content{database,
                                  "SELECT size, digest FROM files WHERE state = 4 ORDER BY size DESC, digest LIMIT 1"};
  SQLite::Statement next_of_size{
      database, "SELECT size, digest FROM files WHERE state = 4 AND size = ? AND digest > ? ORDER BY digest LIMIT 1"};
  SQLite::Statement next_smaller{
      database, "SELECT size, digest FROM files WHERE state = 4 AND size < ? ORDER BY size DESC, digest LIMIT 1"};
  SQLite::Statement next_missing{
      database, kSelect + "WHERE state = 4 AND size = ? AND digest = ? AND path > ? ORDER BY path LIMIT 1"};
  SQLite::Statement source_of{database,
                              "SELECT path FROM files WHERE state IN (2, 3, 5) AND digest = ? ORDER BY path LIMIT 1"};
};

WantedFiles::WantedFiles(const std::filesystem::path& spool) {
  locked([&] { open_ = std::make_unique<Open>(spool); });
}

WantedFiles::~WantedFiles() = default;

template <class Work>
auto WantedFiles::locked(Work&& work) -> decltype(work()) {
  std::scoped_lock lock{mutex_};
  return with_sqlite("the list of the files to restore", work);
}

void WantedFiles::add(const SnapshotFile& file) {
  const auto* digest = std::get_if<Digest>(&file.body);
  const auto* content = std::get_if<Bytes>(&file.body);
  const bool added = locked([&] {
    Query{open_->add,
          file.relative_path,
          file.file_size,
          file.mtime_ns,
          digest ? *digest : digest_of_bytes(*content),
          file.allocated_size.has_value(),
          content ? std::optional{ByteView{*content}} : std::nullopt}
        .run();
    return open_->database.getChanges() > 0;
  });
  if (!added) fail(ErrorKind::invalid, "the backup names {} twice", printable(file.relative_path));
}

void WantedFiles::update(const File& file) {
  locked([&] {
    Query{open_->update, number_of(file.state), number_of(file.in_the_way), file.freed, file.device, file.news_of_inode,
          file.path}
        .run();
  });
}

bool WantedFiles::contains(std::string_view path) {
  return locked([&] { return Query{open_->contains, path}.row(); });
}

std::optional<Bytes> WantedFiles::content(std::string_view path) {
  return locked([&]() -> std::optional<Bytes> {
    Query query{open_->content, path};
    if (!query.row()) return std::nullopt;
    return query.bytes(0);
  });
}

std::optional<WantedFiles::File> WantedFiles::next(std::string_view after) {
  return locked([&]() -> std::optional<File> {
    Query query{open_->next, after};
    if (!query.row()) return std::nullopt;
    return file_of(query);
  });
}

std::optional<WantedFiles::File> WantedFiles::next(State state, std::string_view after) {
  return locked([&]() -> std::optional<File> {
    Query query{open_->next_in_state, number_of(state), after};
    if (!query.row()) return std::nullopt;
    return file_of(query);
  });
}

void WantedFiles::complete() {
  locked([&] { open_->database.exec(kIndexes); });
}

std::optional<WantedFiles::Content> WantedFiles::next_missing_content(const std::optional<Content>& after) {
  return locked([&]() -> std::optional<Content> {
    const auto first = [](Query&& query) -> std::optional<Content> {
      if (!query.row()) return std::nullopt;
      return Content{query.integer<std::uint64_t>(0), query.digest(1)};
    };
    if (!after) return first(Query{open_->first_content});
    if (auto next = first(Query{open_->next_of_size, after->size, after->digest})) return next;
    return first(Query{open_->next_smaller, after->size});
  });
}

std::optional<WantedFiles::File> WantedFiles::next_missing(const Content& content, std::string_view after) {
  return locked([&]() -> std::optional<File> {
    Query query{open_->next_missing, content.size, content.digest, after};
    if (!query.row()) return std::nullopt;
    return file_of(query);
  });
}

std::optional<std::string> WantedFiles::source_of(const Digest& digest) {
  return locked([&]() -> std::optional<std::string> {
    Query query{open_->source_of, digest};
    if (!query.row()) return std::nullopt;
    return query.text(0);
  });
}

}  // namespace cherax::snapshot
