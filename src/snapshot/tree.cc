#include "snapshot/tree.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "snapshot/relative_path.h"

namespace cherax::snapshot {

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

Descriptor::Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

DirectoryReader::DirectoryReader(Descriptor directory) {
  // fdopendir takes the descriptor over, but not when it fails.
  const int number = ::fcntl(directory.number(), F_DUPFD_CLOEXEC, 0);
  if (number < 0) fail_errno(errno, "duplicating the descriptor of a directory");
  stream_.reset(::fdopendir(number));
  if (!stream_) {
    const int error = errno;
    ::close(number);
    fail_errno(error, "reading a directory");
  }
}

const ::dirent* DirectoryReader::next() {
  for (;;) {
    errno = 0;
    const ::dirent* entry = ::readdir(stream_.get());
    if (!entry) {
      if (errno != 0) fail_errno(errno, "reading a directory");
      return nullptr;
    }
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") return entry;
  }
}

struct ::stat status_of(int descriptor) {
  struct ::stat status {};
  if (::fstat(descriptor, &status) != 0) fail_errno(errno, "reading the status of an open file");
  return status;
}

std::optional<struct ::stat> status_at(int directory, std::string_view name) {
  struct ::stat status {};
  if (::fstatat(directory, std::string{name}.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return status;
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  fail_errno(errno, fmt::format("reading the status of {}", printable(name)));
}

Descriptor open_at(int directory, std::string_view name, int flags) {
  for (;;) {
    const int number = ::openat(directory, std::string{name}.c_str(), flags | O_NOFOLLOW | O_CLOEXEC);
    if (number >= 0) return Descriptor{number};
    if (errno == EINTR) continue;
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return {};
    fail_errno(errno, fmt::format("opening {}", printable(name)));
  }
}

void remove_at(int directory, std::string_view name) {
  if (::unlinkat(directory, std::string{name}.c_str(), 0) != 0 && errno != ENOENT) {
    fail_errno(errno, fmt::format("removing {}", printable(name)));
  }
}

namespace {

bool is_directory(const ::dirent& entry, int directory) {
  if (entry.d_type != DT_UNKNOWN) return entry.d_type == DT_DIR;
  const auto status = status_at(directory, entry.d_name);
  return status && S_ISDIR(status->st_mode);
}

void remove_directory_at(int directory, std::string_view name) {
  if (::unlinkat(directory, std::string{name}.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
    fail_errno(errno, fmt::format("removing the directory {}", printable(name)));
  }
}

}  // namespace

bool remove_contents(Descriptor directory, const std::string& path, const std::function<bool(std::string_view)>& keep) {
  bool empty = true;
  DirectoryReader reader{std::move(directory)};
  while (const ::dirent* entry = reader.next()) {
    const std::string_view name = entry->d_name;
    const auto child = join(path, name);
    if (is_directory(*entry, reader.descriptor())) {
      auto inner = open_at(reader.descriptor(), name, O_RDONLY | O_DIRECTORY);
      if (inner && !remove_contents(std::move(inner), child, keep)) {
        empty = false;
      } else {
        remove_directory_at(reader.descriptor(), name);
      }
    } else if (keep(child)) {
      empty = false;
    } else {
      remove_at(reader.descriptor(), name);
    }
  }
  return empty;
}

void remove_whatever_at(int directory, std::string_view name) {
  if (auto inner = open_at(directory, name, O_RDONLY | O_DIRECTORY)) {
    remove_contents(std::move(inner), std::string{name}, [](std::string_view) { return false; });
    remove_directory_at(directory, name);
  } else {
    remove_at(directory, name);
  }
}

Tree::Tree(std::filesystem::path root) : root_(std::move(root)) {
  descriptor_ = Descriptor{::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!descriptor_) fail_errno(errno, fmt::format("opening the directory {}", root_.string()));
}

std::string Tree::describe(std::string_view path) const { return (root_ / printable(path)).string(); }

Tree::Reached Tree::reach(std::string_view directory) const {
  return in_context(fmt::format("looking for the directory {}", describe(directory)), [&] {
    Reached reached{open_at(descriptor_.number(), ".", O_RDONLY | O_DIRECTORY), directory.substr(0, 0)};
    for (auto rest = directory; !rest.empty();) {
      const auto segment = take_segment(rest);
      auto next = open_at(reached.directory.number(), segment, O_RDONLY | O_DIRECTORY);
      const auto path = directory.substr(0, static_cast<std::size_t>(segment.end() - directory.begin()));
      if (!next) {
        const auto status = status_at(reached.directory.number(), segment);
        if (status && S_ISLNK(status->st_mode)) {
          fail(ErrorKind::invalid, "{} is a symbolic link; put a directory there", describe(path));
        }
        reached.blocked = status.has_value() && !S_ISDIR(status->st_mode);
        break;
      }
      reached.directory = std::move(next);
      reached.path = path;
    }
    return reached;
  });
}

Descriptor Tree::open_directory(std::string_view directory) const {
  auto reached = reach(directory);
  return reached.path.size() == directory.size() ? std::move(reached.directory) : Descriptor{};
}

Descriptor Tree::open_file(std::string_view path, int flags) const {
  const auto directory = open_directory(parent_of(path));
  if (!directory) return {};
  return in_context(describe(path), [&] { return open_at(directory.number(), name_of(path), flags); });
}

std::optional<struct ::stat> Tree::status(std::string_view path) const {
  const auto directory = open_directory(parent_of(path));
  return directory ? status_at(directory.number(), name_of(path)) : std::nullopt;
}

std::size_t DescriptorSource::read(MutableByteView buffer) {
  for (;;) {
    const auto size = ::read(descriptor_, buffer.data(), buffer.size());
    if (size >= 0) return static_cast<std::size_t>(size);
    if (errno != EINTR) fail_errno(errno, "reading");
  }
}

void DescriptorSink::write(ByteView bytes) {
  while (!bytes.empty()) {
    const auto size = ::write(descriptor_, bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) fail_errno(errno, "writing");
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
}

}  // namespace cherax::snapshot
