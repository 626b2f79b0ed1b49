#include "snapshot/restored_file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include "snapshot/relative_path.h"
#include "transform/digest.h"

namespace cherax::snapshot {

namespace {

constexpr std::size_t kBlock = 4096;

std::string random_temporary_name() {
  std::array<std::byte, 8> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<::ssize_t>(random.size())) {
    fail_errno(errno, "getrandom");
  }
  return fmt::format(".cherax-{}.tmp", to_hex(random));
}

}  // namespace

/// The innermost sink: the file itself, or nothing when the bytes are in it already and are only looked at.
class RestoredFile::Output final : public Sink {
 public:
  Output(RestoredFile& owner, bool writes) : owner_(owner), file_(owner.file_.number()), writes_(writes) {}

  void write(ByteView bytes) override {
    if (owner_.stop_.stop_requested()) fail(ErrorKind::cancelled, "cancelled");
    if (writes_ && owner_.leaves_holes_)
      write_with_holes(bytes);
    else if (writes_)
      file_.write(bytes);
    owner_.counted_ += bytes.size();
    owner_.progress_.bytes_done += bytes.size();
  }
  void finish() override {
    const int file = owner_.file_.number();
    const auto size = static_cast<::off_t>(owner_.counted_);
    if (writes_ && owner_.leaves_holes_ && ::ftruncate(file, size) != 0) fail_errno(errno, "ending it with a hole");
    finished_ = true;
  }
  bool finished() const { return finished_; }

 private:
  /// Whole blocks of zeros, and a rest of zeros at either end, are passed over.
  void write_with_holes(ByteView bytes) {
    std::size_t block = kBlock - owner_.counted_ % kBlock;
    while (!bytes.empty()) {
      const bool is_hole = is_zero(bytes.first(std::min(block, bytes.size())));
      std::size_t run = block;
      while (run < bytes.size() && is_zero(bytes.subspan(run).first(std::min(kBlock, bytes.size() - run))) == is_hole)
        run += kBlock;
      run = std::min(run, bytes.size());
      if (!is_hole)
        file_.write(bytes.first(run));
      else if (::lseek(owner_.file_.number(), static_cast<::off_t>(run), SEEK_CUR) < 0)
        fail_errno(errno, "leaving a hole in it");
      bytes = bytes.subspan(run);
      block = kBlock;
    }
  }
  static bool is_zero(ByteView bytes) {
    return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
  }

  RestoredFile& owner_;
  DescriptorSink file_;
  bool writes_;
  bool finished_ = false;
};

RestoredFile::RestoredFile(int directory, std::string_view name, ::mode_t mode, Progress& progress,
                           std::stop_token stop)
    : directory_(directory), name_(name), progress_(progress), stop_(std::move(stop)) {
  auto temporary = random_temporary_name();
  file_ = Descriptor{::openat(directory, temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)};
  if (!file_) fail_errno(errno, fmt::format("creating the temporary file {}", temporary));
  temporary_ = std::move(temporary);
}

RestoredFile::~RestoredFile() {
  if (temporary_.empty()) return;
  progress_.bytes_done -= counted_;
  ::unlinkat(directory_, temporary_.c_str(), 0);  // if that fails, the next restore removes it
}

void RestoredFile::receive(const Digest& digest, std::uint64_t size, const std::function<void(Sink&)>& produce) {
  Output output{*this, true};
  transform::VerifyingSink verifying{output, digest, size};
  produce(verifying);
  if (!output.finished()) fail(ErrorKind::corrupt, "only {} of {} bytes came", counted_, size);
}

void RestoredFile::copy(const Digest& digest, std::uint64_t size, int source) {
  const bool shared = size > 0 && ::ioctl(file_.number(), FICLONE, source) == 0;
  Output output{*this, !shared};
  transform::VerifyingSink verifying{output, digest, size};
  DescriptorSource bytes{shared ? file_.number() : source};
  pump(bytes, verifying);
}

void RestoredFile::set_owner(::uid_t owner, ::gid_t group) {
  if (::fchown(file_.number(), owner, group) != 0) fail_errno(errno, fmt::format("giving it to {}:{}", owner, group));
}

std::uint64_t RestoredFile::rename_into_place(std::int64_t mtime_ns) {
  const std::array<::timespec, 2> times{{{0, UTIME_OMIT}, timespec_of(mtime_ns)}};
  if (::futimens(file_.number(), times.data()) != 0) fail_errno(errno, "setting its modification time");
  const auto inode = status_of(file_.number()).st_ino;
  if (::renameat(directory_, temporary_.c_str(), directory_, name_.c_str()) != 0) {
    fail_errno(errno, fmt::format("renaming {} to its name", temporary_));
  }
  temporary_.clear();
  return inode;
}

::timespec timespec_of(std::int64_t ns) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  auto seconds = ns / kSecond;
  auto rest = ns % kSecond;
  if (rest < 0) {
    rest += kSecond;
    --seconds;
  }
  return {static_cast<::time_t>(seconds), static_cast<long>(rest)};
}

}  // namespace cherax::snapshot
