#include "snapshot/materialize.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/file.h"
#include "base/parallel.h"
#include "snapshot/clear.h"
#include "snapshot/relative_path.h"
#include "snapshot/restored_file.h"

namespace cherax::snapshot {

namespace {

constexpr ::mode_t kDirectoryMode = 0750;  ///< at least

using File = WantedFiles::File;
using State = WantedFiles::State;
using InTheWay = WantedFiles::InTheWay;

void require_restorable(std::string_view path) {
  check_relative_path(path).value();
  for (auto rest = path; !rest.empty();) {
    const auto segment = take_segment(rest);
    if (segment == ".astacus" || !is_own_name(segment)) continue;
    fail(ErrorKind::invalid, "the path \"{}\" is refused: {} is a name that Cherax keeps for itself", printable(path),
         printable(segment));
  }
}

void remove_leftovers(Descriptor directory) {
  DirectoryReader reader{std::move(directory)};
  while (const auto* entry = reader.next()) {
    if (is_temporary_name(entry->d_name)) remove_at(reader.descriptor(), entry->d_name);
  }
}

}  // namespace

Materializer::Materializer(MaterializerOptions options, Index& index, Clock& clock)
    : options_(std::move(options)),
      tree_(options_.root),
      globs_(GroupSet::of_globs(options_.globs)),
      index_(index),
      clock_(clock),
      wanted_(index.file().string() + "-wanted") {}

void Materializer::want(SnapshotFile file) {
  if (options_.map_path) {
    auto mapped = options_.map_path(file.relative_path);
    if (!mapped) return;
    file.relative_path = *std::move(mapped);
  }
  require_restorable(file.relative_path);
  if (const auto* content = std::get_if<Bytes>(&file.body); content && content->size() != file.file_size) {
    fail(ErrorKind::invalid, "the backup embeds {} bytes of {}, which has {}", content->size(),
         printable(file.relative_path), file.file_size);
  }
  wanted_.add(file);
}

void Materializer::compare(Progress& progress, std::stop_token stop) {
  targets_ = snapshot::compare(tree_, globs_, wanted_, index_, options_.workers, progress, std::move(stop));
}

void Materializer::restore(const Fetch& fetch, Progress& progress, const std::stop_token& stop) {
  const Running running{fetch, progress, stop};
  make_ready(stop);
  correct_times();
  std::optional<WantedFiles::Content> last;
  const auto next = [&] { return last = wanted_.next_missing_content(last); };
  parallel_for(options_.workers, stop, next, [&](const WantedFiles::Content& content) {
    for (auto file = wanted_.next_missing(content, ""); file; file = wanted_.next_missing(content, file->path)) {
      in_context(fmt::format("restoring {}", tree_.describe(file->path)), [&] { restore_file(*file, running); });
    }
  });
  remove_surplus(
      tree_, globs_, [&](std::string_view path) { return wanted_.contains(path); }, stop);
  if (options_.sync) sync_and_tell_index();
}

void Materializer::make_ready(const std::stop_token& stop) {
  std::optional<std::string> parent;
  Descriptor directory;
  for (auto file = wanted_.next(""); file; file = wanted_.next(file->path)) {
    if (stop.stop_requested()) fail(ErrorKind::cancelled, "cancelled");
    in_context(fmt::format("making room for {}", tree_.describe(file->path)), [&] {
      if (!parent || *parent != parent_of(file->path)) {
        parent = parent_of(file->path);
        directory = make_directory(*parent);
        remove_leftovers(open_at(directory.number(), ".", O_RDONLY | O_DIRECTORY));
      }
      const bool in_the_way = file->state == State::missing && file->in_the_way == InTheWay::directory;
      if (in_the_way) remove_whatever_at(directory.number(), name_of(file->path));
    });
  }
}

Descriptor Materializer::make_directory(std::string_view directory) {
  auto reached = tree_.reach(directory);
  auto current = std::move(reached.directory);
  std::string path{reached.path};
  auto rest = directory.substr(path.empty() ? 0 : std::min(path.size() + 1, directory.size()));
  while (!rest.empty()) {
    const std::string segment{take_segment(rest)};
    path = join(path, segment);
    if (const auto status = status_at(current.number(), segment)) {
      require_surplus_file(tree_, globs_, path, *status);
      remove_at(current.number(), segment);
    }
    if (::mkdirat(current.number(), segment.c_str(), 0777) != 0) {
      fail_errno(errno, fmt::format("creating the directory {}", printable(path)));
    }
    auto made = open_at(current.number(), segment, O_RDONLY | O_DIRECTORY);
    if (!made) fail(ErrorKind::internal, "the directory {} vanished while it was created", printable(path));
    // A database in the group of a directory must reach what is below it, whatever the umask of this process.
    const ::mode_t mode = status_of(made.number()).st_mode & 07777;
    if ((mode & kDirectoryMode) != kDirectoryMode && ::fchmod(made.number(), mode | kDirectoryMode) != 0)
      fail_errno(errno, "letting the group of a directory read it");
    if (gives_ownership()) {
      const auto above = status_of(current.number());
      if (::fchown(made.number(), above.st_uid, above.st_gid) != 0)
        fail_errno(errno, "giving a directory to its owner");
    }
    current = std::move(made);
  }
  return current;
}

bool Materializer::gives_ownership() const { return options_.owner_of_parent && ::geteuid() == 0; }

void Materializer::correct_times() {
  for (auto file = wanted_.next(State::wrong_time, ""); file; file = wanted_.next(State::wrong_time, file->path)) {
    const auto directory = tree_.open_directory(parent_of(file->path));
    const std::array<::timespec, 2> times{{{0, UTIME_OMIT}, timespec_of(file->mtime_ns)}};
    const std::string name{name_of(file->path)};
    if (!directory || ::utimensat(directory.number(), name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0) {
      fail_errno(errno, fmt::format("setting the modification time of {}", tree_.describe(file->path)));
    }
  }
}

void Materializer::restore_file(File file, const Running& running) {
  if (const auto content = wanted_.content(file.path)) {
    return write(file, running, [&](RestoredFile& restored) {
      restored.receive(file.digest, file.size, [&](Sink& sink) {
        MemorySource source{*content};
        pump(source, sink);
      });
    });
  }
  if (const auto source = wanted_.source_of(file.digest); source && copy_from(*source, file, running)) return;
  write(file, running, [&](RestoredFile& restored) {
    restored.receive(file.digest, file.size, [&](Sink& sink) { running.fetch(file.digest, file.size, sink); });
  });
}

/// False when the source is not what it was: then the content has to be fetched after all.
bool Materializer::copy_from(const std::string& source, File& file, const Running& running) {
  const auto opened = tree_.open_file(source, O_RDONLY | O_NONBLOCK);
  if (!opened) return false;
  try {
    write(file, running, [&](RestoredFile& restored) { restored.copy(file.digest, file.size, opened.number()); });
    return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::corrupt) throw;
    return false;
  }
}

void Materializer::write(File& file, const Running& running, const std::function<void(RestoredFile&)>& fill) {
  const auto directory = tree_.open_directory(parent_of(file.path));
  if (!directory) fail(ErrorKind::internal, "its directory was removed meanwhile");
  RestoredFile restored{directory.number(), name_of(file.path), options_.mode, running.progress, running.stop};
  if (file.has_holes) restored.leave_holes();
  fill(restored);
  if (gives_ownership()) {
    const auto parent = status_of(directory.number());
    restored.set_owner(parent.st_uid, parent.st_gid);
  }
  file.news_of_inode = restored.rename_into_place(file.mtime_ns);
  file.state = State::restored;
  wanted_.update(file);
  ++running.progress.files_done;
}

void Materializer::sync_and_tell_index() {
  for (const auto& [device, target] : targets_) sync_file_system(tree_.root() / target.directory);
  const auto now = clock_.now();
  for (auto file = wanted_.next(""); file; file = wanted_.next(file->path)) {
    if (!file->news_of_inode) continue;
    const FileStamp stamp{file->size, file->mtime_ns, *file->news_of_inode};
    index_.record(file->path, stamp, {file->digest, wanted_.content(file->path)}, is_settled(stamp, now));
  }
  index_.commit();
}

}  // namespace cherax::snapshot
