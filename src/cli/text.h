#pragma once

#include <cstddef>
#include <string_view>

/// Text on a terminal. A code point counts as one column.
namespace cherax::cli {

std::size_t width_of(std::string_view text);
/// As much of its front as fits.
std::string_view cut(std::string_view text, std::size_t width);

}  // namespace cherax::cli
