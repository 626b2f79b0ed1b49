#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "base/digest.h"
#include "snapshot/stamp.h"

namespace cherax::snapshot {

/// What was once read of the files below a root, kept in SQLite over restarts, so that an unchanged file is never read
/// twice. It is a cache: losing it costs time, never data. A damaged index, or one of a newer Cherax, is renamed to
/// `<file>.set-aside` with a warning, and a new one begun; also in the middle of its use.
/// Write-ahead log, synchronous=NORMAL: it survives a kill whole, and a power failure without its last writes, which
/// for a cache is all that is needed and saves the fsyncs. One process at a time holds it. One thread at a time.
class Index {
 public:
  /// Error{invalid} when another process uses `file`.
  explicit Index(std::filesystem::path file);
  ~Index();

  struct Entry {
    Digest digest;
    std::optional<Bytes> content;  ///< when it was embedded
  };

  /// What is known about the file if its stamp is the recorded one. `immutable`: also when it was recorded as not
  /// settled.
  std::optional<Entry> find(std::string_view path, const FileStamp& stamp, bool immutable);
  /// `settled`: the file had not been written for a while when it was read. Writes are committed every so often.
  void record(std::string_view path, const FileStamp& stamp, const Entry& entry, bool settled);
  void forget(std::string_view path);
  void forget_unless(const std::function<bool(std::string_view)>& keep);
  std::uint64_t size();
  void commit();

  const std::filesystem::path& file() const { return file_; }

 private:
  struct Open;

  void open();
  void set_aside(std::string_view why);
  template <class Work>
  auto repaired(Work&& work) -> decltype(work());
  void written();

  std::filesystem::path file_;
  std::unique_ptr<Open> open_;
  std::size_t uncommitted_ = 0;
};

}  // namespace cherax::snapshot
