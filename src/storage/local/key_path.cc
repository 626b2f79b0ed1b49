#include "storage/local/key_path.h"

#include <functional>
#include <string>

namespace cherax::storage::local {

namespace {

constexpr std::string_view kSidecarSuffix = ".metadata";
constexpr std::size_t kLongestName = 255 - kSidecarSuffix.size();

void for_each_segment(std::string_view text, const std::function<void(std::string_view)>& visit) {
  for (;;) {
    const auto slash = text.find('/');
    visit(text.substr(0, slash));
    if (slash == std::string_view::npos) return;
    text.remove_prefix(slash + 1);
  }
}

}  // namespace

bool is_reserved_name(std::string_view name) {
  return name.starts_with('.') || name.ends_with(kSidecarSuffix) ||
         name.find(".metadata_tmp") != std::string_view::npos;
}

std::filesystem::path root_of(const std::filesystem::path& directory, std::string_view prefix) {
  std::filesystem::path root = directory;
  for_each_segment(prefix, [&](std::string_view segment) {
    if (segment.empty()) return;
    if (segment == "." || segment == ".." || segment.find('\0') != std::string_view::npos) {
      fail(ErrorKind::invalid, "the prefix \"{}\" of the local store {} may not have the folder \"{}\"", prefix,
           directory.string(), segment);
    }
    root /= segment;
  });
  return root;
}

std::filesystem::path path_of(const std::filesystem::path& root, const ObjectKey& key) {
  for_each_segment(key.text, [&](std::string_view segment) {
    const bool good = !segment.empty() && segment.size() <= kLongestName && !is_reserved_name(segment) &&
                      segment.find('\0') == std::string_view::npos;
    if (!good) fail(ErrorKind::invalid, "the key \"{}\" cannot be a file name below {}", key.text, root.string());
  });
  return root / key.text;
}

std::filesystem::path sidecar_of(const std::filesystem::path& object) {
  std::filesystem::path sidecar = object;
  sidecar += kSidecarSuffix;
  return sidecar;
}

}  // namespace cherax::storage::local
