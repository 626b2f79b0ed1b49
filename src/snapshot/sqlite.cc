#include "snapshot/sqlite.h"

#include <fcntl.h>

#include "base/file.h"

namespace cherax::snapshot {

SQLite::Database open_spool(const std::filesystem::path& file, const std::string& schema) {
  return with_sqlite("creating " + file.string(), [&] {
    remove_if_exists(file);
    File{file, O_RDWR | O_CREAT, 0600}.close();  // embedded files may be secrets
    SQLite::Database database{file, SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX};
    database.exec("PRAGMA journal_mode=OFF");
    database.exec("PRAGMA synchronous=OFF");
    database.exec("PRAGMA locking_mode=EXCLUSIVE");
    database.exec(kCacheSize);
    database.exec(schema);
    remove_if_exists(file);
    database.exec("BEGIN");  // never committed: nothing is to last, and a commit for each row would cost
    return database;
  });
}

}  // namespace cherax::snapshot
