#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <optional>

#include "base/stream.h"

namespace cherax {

/// An open file descriptor, closed on destruction. Errors name the path.
class File {
 public:
  File() = default;
  /// `flags` and `mode` as for open(2); O_CLOEXEC is added.
  File(const std::filesystem::path& path, int flags, ::mode_t mode = 0666);
  /// An unnamed file in `directory` that vanishes when it is closed.
  static File temporary(const std::filesystem::path& directory);
  ~File();
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;

  bool is_open() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }
  const std::filesystem::path& path() const { return path_; }

  /// Up to buffer.size() bytes at the current position; 0 at the end of the file.
  std::size_t read(MutableByteView buffer);
  /// The same at `offset`, without moving the position: safe from several threads.
  std::size_t read_at(std::uint64_t offset, MutableByteView buffer) const;
  void write(ByteView bytes);
  void seek(std::uint64_t offset);
  std::uint64_t size() const;
  struct ::stat status() const;
  void sync();
  void close();

 private:
  int descriptor_ = -1;
  std::filesystem::path path_;
};

class FileSource final : public Source {
 public:
  explicit FileSource(File& file) : file_(file) {}
  std::size_t read(MutableByteView buffer) override { return file_.read(buffer); }

 private:
  File& file_;
};

class FileSink final : public Sink {
 public:
  explicit FileSink(File& file) : file_(file) {}
  void write(ByteView bytes) override { file_.write(bytes); }
  void finish() override {}

 private:
  File& file_;
};

/// lstat; nullopt when there is nothing at `path`.
std::optional<struct ::stat> status_of(const std::filesystem::path& path);

std::string read_text(const std::filesystem::path& path, std::size_t limit);

/// Writes a temporary file beside `path`, fsyncs it, renames it over `path` and fsyncs the directory: after a crash
/// there is the old content or the new, never a mixture.
void write_durably(const std::filesystem::path& path, std::string_view content, ::mode_t mode = 0666);

void sync_directory(const std::filesystem::path& directory);
/// Everything written to the file system that holds `path` is on the disk when this returns (syncfs).
void sync_file_system(const std::filesystem::path& path);

/// Removes a file; it not being there is fine.
void remove_if_exists(const std::filesystem::path& path);

}  // namespace cherax
