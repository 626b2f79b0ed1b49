#pragma once

#include <string>
#include <vector>

namespace cherax::cli {

enum class Align { left, right };

struct Column {
  std::string header;
  Align align = Align::left;  ///< right for numbers
  std::vector<std::string> cells;
};

/// The columns, all with as many cells, as a table of Markdown; exactly what Python's `tabulate` prints as "github", so
/// that what reads Astacus' lists reads ours. Ends with a line break.
std::string format_table(const std::vector<Column>& columns);

}  // namespace cherax::cli
