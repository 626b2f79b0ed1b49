#include "cli/text.h"

#include <algorithm>

namespace cherax::cli {

namespace {

/// In UTF-8 all bytes of a code point but the first.
bool continues(char c) { return (c & 0xc0) == 0x80; }

}  // namespace

std::size_t width_of(std::string_view text) {
  return text.size() - static_cast<std::size_t>(std::ranges::count_if(text, continues));
}

std::string_view cut(std::string_view text, std::size_t width) {
  std::size_t end = 0;
  while (end < text.size() && (width > 0 || continues(text[end]))) {
    if (!continues(text[end])) --width;
    ++end;
  }
  return text.substr(0, end);
}

}  // namespace cherax::cli
