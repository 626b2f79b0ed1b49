#include "base/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <utility>

namespace cherax {

namespace {

template <class Call>
auto retry_interrupted(Call call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

}  // namespace

File::File(const std::filesystem::path& path, int flags, ::mode_t mode) : path_(path) {
  descriptor_ = retry_interrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); });
  if (descriptor_ < 0) fail_errno(errno, fmt::format("opening {}", path.string()));
}

File File::temporary(const std::filesystem::path& directory) { return {directory, O_TMPFILE | O_RDWR, 0600}; }

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

File::File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  return *this;
}

std::size_t File::read(MutableByteView buffer) {
  const auto size = retry_interrupted([&] { return ::read(descriptor_, buffer.data(), buffer.size()); });
  if (size < 0) fail_errno(errno, fmt::format("reading {}", path_.string()));
  return static_cast<std::size_t>(size);
}

std::size_t File::read_at(std::uint64_t offset, MutableByteView buffer) const {
  const auto size = retry_interrupted(
      [&] { return ::pread(descriptor_, buffer.data(), buffer.size(), static_cast<::off_t>(offset)); });
  if (size < 0) fail_errno(errno, fmt::format("reading {}", path_.string()));
  return static_cast<std::size_t>(size);
}

void File::write(ByteView bytes) {
  while (!bytes.empty()) {
    const auto size = retry_interrupted([&] { return ::write(descriptor_, bytes.data(), bytes.size()); });
    if (size < 0) fail_errno(errno, fmt::format("writing {}", path_.string()));
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
}

void File::seek(std::uint64_t offset) {
  if (::lseek(descriptor_, static_cast<::off_t>(offset), SEEK_SET) < 0) {
    fail_errno(errno, fmt::format("seeking in {}", path_.string()));
  }
}

std::uint64_t File::size() const { return static_cast<std::uint64_t>(status().st_size); }

struct ::stat File::status() const {
  struct ::stat status {};
  if (::fstat(descriptor_, &status) != 0) fail_errno(errno, fmt::format("reading the status of {}", path_.string()));
  return status;
}

void File::sync() {
  if (::fsync(descriptor_) != 0) fail_errno(errno, fmt::format("fsync of {}", path_.string()));
}

void File::close() {
  if (descriptor_ >= 0 && ::close(std::exchange(descriptor_, -1)) != 0 && errno != EINTR) {
    fail_errno(errno, fmt::format("closing {}", path_.string()));
  }
}

std::optional<struct ::stat> status_of(const std::filesystem::path& path) {
  struct ::stat status {};
  if (::lstat(path.c_str(), &status) == 0) return status;
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  fail_errno(errno, fmt::format("reading the status of {}", path.string()));
}

std::string read_text(const std::filesystem::path& path, std::size_t limit) {
  File file{path, O_RDONLY};
  if (const auto size = file.size(); size > limit) {
    fail(ErrorKind::invalid, "{} has {} bytes, more than the {} it may have", path.string(), size, limit);
  }
  FileSource source{file};
  MemorySink sink{limit};
  pump(source, sink);
  return std::string{as_text(sink.bytes())};
}

void write_durably(const std::filesystem::path& path, std::string_view content, ::mode_t mode) {
  static std::atomic<unsigned> counter{0};
  auto temporary = path;
  temporary += fmt::format(".{}.{}.tmp", ::getpid(), counter.fetch_add(1));
  try {
    File file{temporary, O_WRONLY | O_CREAT | O_TRUNC, mode};
    file.write(as_bytes(content));
    file.sync();
    file.close();
    if (::rename(temporary.c_str(), path.c_str()) != 0) fail_errno(errno, fmt::format("renaming to {}", path.string()));
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_directory(path.parent_path().empty() ? "." : path.parent_path());
}

void sync_directory(const std::filesystem::path& directory) {
  File file{directory, O_RDONLY | O_DIRECTORY};
  file.sync();
}

void sync_file_system(const std::filesystem::path& path) {
  File file{path, O_RDONLY};
  if (::syncfs(file.descriptor()) != 0) fail_errno(errno, fmt::format("syncfs of {}", path.string()));
}

void remove_if_exists(const std::filesystem::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) fail_errno(errno, fmt::format("removing {}", path.string()));
}

}  // namespace cherax
