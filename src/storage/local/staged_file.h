#pragma once

#include <chrono>
#include <filesystem>
#include <string_view>

#include "base/file.h"

namespace cherax::storage::local {

/// A file being written in `<root>/.cherax.tmp`, which no lister of the store looks into. It is removed on destruction
/// unless it was renamed to its place.
class StagedFile {
 public:
  /// The root must exist.
  explicit StagedFile(const std::filesystem::path& root);
  ~StagedFile();
  StagedFile(const StagedFile&) = delete;
  StagedFile& operator=(const StagedFile&) = delete;

  File& file() { return file_; }
  /// Replaces what is at `target`, in one step.
  void rename_to(const std::filesystem::path& target);

 private:
  File file_;
  bool renamed_ = false;
};

/// Removes what killed processes left there: files that nobody wrote to for `age`.
void sweep_staged_files(const std::filesystem::path& root, std::chrono::seconds age);

}  // namespace cherax::storage::local
