#include "storage/local/staged_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <random>
#include <system_error>

namespace cherax::storage::local {

namespace {

constexpr const char* kFolder = ".cherax.tmp";

File create_in(const std::filesystem::path& folder) {
  std::random_device random;
  const auto name = fmt::format("{:08x}{:08x}", random(), random());
  std::error_code ignored;  // opening says what is wrong
  std::filesystem::create_directory(folder, ignored);
  return File{folder / name, O_WRONLY | O_CREAT | O_EXCL};
}

}  // namespace

StagedFile::StagedFile(const std::filesystem::path& root) : file_(create_in(root / kFolder)) {}

StagedFile::~StagedFile() {
  if (!renamed_) ::unlink(file_.path().c_str());
}

void StagedFile::rename_to(const std::filesystem::path& target) {
  if (::rename(file_.path().c_str(), target.c_str()) != 0) {
    fail_errno(errno, fmt::format("renaming {} to {}", file_.path().string(), target.string()));
  }
  renamed_ = true;
}

void sweep_staged_files(const std::filesystem::path& root, std::chrono::seconds age) {
  const auto oldest = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() - age);
  std::error_code none;  // no such folder, or no more entries
  for (std::filesystem::directory_iterator entry{root / kFolder, none}, end; entry != end; entry.increment(none)) {
    const auto status = status_of(entry->path());
    if (status && S_ISREG(status->st_mode) && status->st_mtim.tv_sec < oldest) remove_if_exists(entry->path());
  }
}

}  // namespace cherax::storage::local
