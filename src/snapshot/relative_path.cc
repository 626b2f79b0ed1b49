#include "snapshot/relative_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <climits>
#include <cstdint>

namespace cherax::snapshot {

std::string_view parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

std::string_view name_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string join(std::string_view directory, std::string_view name) {
  if (directory.empty()) return std::string{name};
  std::string path;
  path.reserve(directory.size() + 1 + name.size());
  return path.append(directory).append(1, '/').append(name);
}

std::string_view take_segment(std::string_view& rest) {
  const auto slash = rest.find('/');
  const auto segment = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
  return segment;
}

Result<void> check_relative_path(std::string_view path) {
  const auto refuse = [&](std::string_view why) {
    return make_error(ErrorKind::invalid, "the path \"{}\" is refused: {}", printable(path.substr(0, 300)), why);
  };
  if (path.empty()) return refuse("it is empty");
  if (path.front() == '/') return refuse("it is absolute");
  if (path.find('\0') != std::string_view::npos) return refuse("it contains a NUL");
  if (!is_utf8(path)) return refuse("it is not UTF-8");
  if (path.size() >= PATH_MAX) return refuse(fmt::format("it is longer than {} bytes", PATH_MAX - 1));
  if (path.back() == '/') return refuse("it has an empty segment");
  while (!path.empty()) {
    const auto segment = take_segment(path);
    if (segment.empty()) return refuse("it has an empty segment");
    if (segment == "." || segment == "..") return refuse("it has a \".\" or \"..\" segment");
    if (segment.size() > NAME_MAX) return refuse(fmt::format("a segment is longer than {} bytes", NAME_MAX));
  }
  return {};
}

bool is_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned lead = byte(i);
    std::size_t length = 1;
    std::uint32_t smallest = 0;
    std::uint32_t code = lead;
    if (lead >= 0xf0 && lead < 0xf8) {
      length = 4, smallest = 0x10000, code = lead & 0x07;
    } else if (lead >= 0xe0 && lead < 0xf0) {
      length = 3, smallest = 0x800, code = lead & 0x0f;
    } else if (lead >= 0xc0 && lead < 0xe0) {
      length = 2, smallest = 0x80, code = lead & 0x1f;
    } else if (lead >= 0x80) {
      return false;
    }
    if (i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((byte(i + k) & 0xc0) != 0x80) return false;
      code = code << 6 | (byte(i + k) & 0x3f);
    }
    if (code < smallest || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
    i += length;
  }
  return true;
}

std::string printable(std::string_view path) {
  const bool utf8 = is_utf8(path);
  std::string text;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || (!utf8 && byte >= 0x80)) {
      text += fmt::format("\\x{:02x}", byte);
    } else {
      text += c;
    }
  }
  return text;
}

bool is_temporary_name(std::string_view name) { return name.starts_with(".cherax-") && name.ends_with(".tmp"); }

bool is_own_name(std::string_view name) {
  return name == ".astacus" || name == kLinksName || is_temporary_name(name) || name.starts_with(kIndexName);
}

}  // namespace cherax::snapshot
