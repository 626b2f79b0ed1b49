#pragma once

#include <cstddef>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace cherax::cli {

/// Where a command writes to, and its time. Results go to `out`; progress and errors, all that a script does not read,
/// to `err`. The streams outlive it.
struct Console {
  std::ostream& out;
  std::ostream& err;
  Clock& clock;
  bool live = false;                                         ///< `err` is a terminal: lines may be redrawn
  std::function<std::size_t()> columns = [] { return 80; };  ///< of the terminal, now
};

/// Standard output and standard error.
Console process_console();

/// Text from elsewhere, fit for a terminal: line breaks stay, other control characters become \xNN.
std::string printable_lines(std::string_view text);

/// "cherax: message" on `err`.
void print_error(const Console& console, std::string_view message);

}  // namespace cherax::cli
