#include "cli/table.h"

#include <algorithm>
#include <string_view>

#include "cli/text.h"

namespace cherax::cli {

namespace {

// What tabulate adds to a header's width.
constexpr std::size_t kHeaderPadding = 2;

std::size_t width_of_column(const Column& column) {
  std::size_t width = width_of(column.header) + kHeaderPadding;
  for (const auto& cell : column.cells) width = std::max(width, width_of(cell));
  return width;
}

std::string padded(std::string_view text, std::size_t width, Align align) {
  const std::string space(width - width_of(text), ' ');
  return align == Align::left ? std::string{text} + space : space + std::string{text};
}

}  // namespace

std::string format_table(const std::vector<Column>& columns) {
  std::vector<std::string> lines(2 + (columns.empty() ? 0 : columns.front().cells.size()), "|");
  for (const Column& column : columns) {
    const auto width = width_of_column(column);
    const auto append = [&](std::string& line, std::string_view text) {
      line += ' ' + padded(text, width, column.align) + " |";
    };
    append(lines[0], column.header);
    lines[1] += std::string(width + 2, '-') + '|';
    for (std::size_t row = 0; row < column.cells.size(); ++row) append(lines[row + 2], column.cells[row]);
  }
  std::string text;
  for (const auto& line : lines) text += line + '\n';
  return text;
}

}  // namespace cherax::cli
