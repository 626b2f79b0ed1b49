#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace cherax::storage::local {

/// The names in a directory in byte order, folders with a '/' at their end, as keys sort. A directory may hold
/// millions: at most 2 * `window` names are in memory (about 25 MB of digests), and the directory is read once for
/// every `window` names. Names that come or go meanwhile may or may not appear.
class SortedNames {
 public:
  static constexpr std::size_t kWindow = 100'000;
  using Wanted = std::function<bool(const std::string&)>;

  /// Only names that `wanted` are kept. A directory that does not exist is empty.
  SortedNames(std::filesystem::path directory, Wanted wanted, std::size_t window = kWindow);

  std::optional<std::string> next();

 private:
  void read_window();

  std::filesystem::path directory_;
  Wanted wanted_;
  std::size_t window_;
  std::vector<std::string> names_;  // the window, the next one last
  std::string last_;                // no name in the window or to come is at most this
  bool more_ = true;                // names beyond the window exist
};

}  // namespace cherax::storage::local
