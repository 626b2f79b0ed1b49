#include "snapshot/snapshotter.h"

#include <unistd.h>

#include <cerrno>
#include <deque>

#include "base/parallel.h"
#include "snapshot/hash.h"
#include "snapshot/relative_path.h"
#include "snapshot/walk.h"

namespace cherax::snapshot {

namespace {

constexpr std::size_t kPendingPage = 100;
constexpr int kReadingAttempts = 5;
/// A killed snapshot has to read at most this much again.
constexpr std::uint64_t kBytesBetweenCommits = std::uint64_t{256} * 1024 * 1024;

struct Reading {
  FileStamp stamp;
  Index::Entry entry;
  bool settled = false;
};

/// Reads as many bytes as the file has when it begins: what is appended meanwhile is none of this snapshot's.
Reading read_frozen(int file, const Rules& rules, Clock& clock, const std::function<void(std::uint64_t)>& count) {
  for (int attempt = 0; attempt < kReadingAttempts; ++attempt) {
    const auto scanned = clock.now();
    const auto stamp = stamp_of(status_of(file));
    if (::lseek(file, 0, SEEK_SET) < 0) fail_errno(errno, "seeking");
    Reading reading{stamp, {}, false};
    DescriptorSource source{file};
    std::optional<Digest> digest;
    if (rules.embeds(stamp.size)) {
      Bytes content(stamp.size);
      if (read_full(source, content) < content.size()) continue;
      count(content.size());
      digest = digest_of_bytes(content);
      reading.entry.content = std::move(content);
    } else {
      digest = digest_of_first(source, stamp.size, count);
    }
    if (!digest) continue;  // it was truncated meanwhile
    reading.entry.digest = *digest;
    reading.settled = stamp_of(status_of(file)) == stamp && is_settled(stamp, scanned);
    return reading;
  }
  fail(ErrorKind::transient,
       "it became shorter {} times while it was read; exclude it, or back up again when its "
       "writer is quiet",
       kReadingAttempts);
}

}  // namespace

/// What the parts of one take() share.
struct Snapshotter::Taking {
  const GroupSet groups;
  Progress& progress;
  const std::stop_token stop;
  SnapshotTotals totals;  // what was read: under index_mutex_
  std::uint64_t known_before = 0;
  std::uint64_t bytes_since_commit = 0;
};

Snapshotter::Snapshotter(SnapshotterOptions options, Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      index_(options_.index_file),
      taken_(options_.index_file.string() + "-taken") {}

SnapshotTotals Snapshotter::take(std::span<const Group> groups, Progress& progress, std::stop_token stop) {
  Taking taking{GroupSet{groups}, progress, std::move(stop), {}};
  taken_.clear();
  try {
    freezer_.emplace(options_.root, options_.link_directory);  // each time: somebody may have removed the directory
    find_files(taking);
    drop_stale(taking);
    hash_files(taking);
    const auto sum = taken_.complete();
    taking.totals.files = sum.files;
    taking.totals.bytes = sum.bytes;
    index_.commit();
  } catch (...) {
    taken_.clear();
    index_.commit();
    throw;
  }
  return taking.totals;
}

void Snapshotter::find_files(Taking& taking) {
  const Tree tree{options_.root};
  walk(tree, taking.groups, taking.stop, [&](const WalkedFile& file) {
    if (!is_utf8(file.path)) {
      fail(ErrorKind::invalid,
           "the name of {} is not UTF-8, which a manifest cannot hold: rename the file or exclude it",
           tree.describe(file.path));
    }
    // The stamp of the link counts: the name may have got another file since it was walked over.
    const auto stamp = freezer_->link(file.directory, file.path);
    if (!stamp) return;
    auto entry = index_.find(file.path, *stamp, file.rules.immutable);
    if (entry) ++taking.known_before;
    const bool embedded = file.rules.embeds(stamp->size);
    if (entry && embedded && !entry->content) entry.reset();
    if (entry && !embedded) entry->content.reset();
    const bool has_holes = !embedded && *stamp == file.stamp && file.allocated_size < stamp->size;
    taken_.add(file.path, *stamp, file.rules, entry, has_holes ? std::optional{file.allocated_size} : std::nullopt);
    ++taking.progress.files_total;
    taking.progress.bytes_total += stamp->size;
    if (!entry) return;
    ++taking.progress.files_done;
    taking.progress.bytes_done += stamp->size;
  });
}

void Snapshotter::drop_stale(Taking& taking) {
  const auto is_taken = [&](std::string_view path) { return taken_.contains(path); };
  if (index_.size() != taking.known_before) index_.forget_unless(is_taken);
  freezer_->release_unless(is_taken);
}

void Snapshotter::hash_files(Taking& taking) {
  std::deque<TakenFiles::Pending> page;
  std::string last;
  const auto next = [&]() -> std::optional<TakenFiles::Pending> {
    if (page.empty()) {
      for (auto& file : taken_.pending(last, kPendingPage)) page.push_back(std::move(file));
      if (page.empty()) return std::nullopt;
      last = page.back().path;
    }
    auto file = std::move(page.front());
    page.pop_front();
    return file;
  };
  parallel_for(options_.hash_workers, taking.stop, next, [&](const TakenFiles::Pending& file) {
    in_context(fmt::format("reading {}", (options_.root / printable(file.path)).string()),
               [&] { hash_file(taking, file); });
  });
}

void Snapshotter::hash_file(Taking& taking, const TakenFiles::Pending& file) {
  auto& progress = taking.progress;
  const auto link = freezer_->open(file.path);
  if (!link) {
    // Its name may have become another file's directory meanwhile. Otherwise leaving it out would be a hole.
    if (Tree{options_.root}.status(file.path)) {
      fail(ErrorKind::transient, "its hard link {} was removed: does another server use the same root_link?",
           freezer_->path_of(file.path).string());
    }
    taken_.drop(file.path);
    --progress.files_total;
    progress.bytes_total -= file.stamp.size;
    return;
  }
  std::uint64_t counted = 0;
  const auto count = [&](std::uint64_t size) {
    if (taking.stop.stop_requested()) fail(ErrorKind::cancelled, "cancelled");
    counted += size;
    progress.bytes_done += size;
  };
  const auto reading = read_frozen(link.number(), file.rules, clock_, count);
  taken_.fill(file.path, reading.stamp, reading.entry);
  progress.bytes_total += reading.stamp.size - file.stamp.size;  // unsigned: also when it has shrunk
  progress.bytes_done += reading.stamp.size - counted;
  ++progress.files_done;

  std::scoped_lock lock{index_mutex_};
  ++taking.totals.files_read;
  taking.totals.bytes_read += counted;
  index_.record(file.path, reading.stamp, reading.entry, reading.settled);
  taking.bytes_since_commit += counted;
  if (taking.bytes_since_commit < kBytesBetweenCommits) return;
  index_.commit();
  taking.bytes_since_commit = 0;
}

void Snapshotter::for_each(const std::function<void(const SnapshotFile&)>& visit) {
  std::string after;
  while (const auto file = taken_.next_file(after)) {
    visit(*file);
    after = file->relative_path;
  }
}

void Snapshotter::for_each_digest(const std::function<void(const Digest&, std::uint64_t size)>& visit) {
  std::optional<Digest> after;
  while (const auto next = taken_.next_digest(after)) {
    visit(next->first, next->second);
    after = next->first;
  }
}

bool Snapshotter::find(const Digest& digest, const std::function<bool(const FrozenFile&)>& use) {
  std::string after;
  while (auto source = taken_.next_source(digest, after)) {
    after = source->path;
    if (use({std::move(source->path), freezer_->path_of(after), source->stamp, source->immutable})) return true;
  }
  return false;
}

void Snapshotter::forget(std::string_view relative_path) {
  std::scoped_lock lock{index_mutex_};
  index_.forget(relative_path);
  index_.commit();
}

void Snapshotter::release(const Digest& digest) {
  std::string after;
  while (const auto source = taken_.next_source(digest, after)) {
    after = source->path;
    freezer_->release(after);
  }
}

void Snapshotter::release_all() {
  freezer_.emplace(options_.root, options_.link_directory);
  freezer_->release_all();
}

}  // namespace cherax::snapshot
