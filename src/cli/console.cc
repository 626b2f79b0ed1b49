#include "cli/console.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <iostream>

#include "snapshot/relative_path.h"

namespace cherax::cli {

namespace {

std::size_t terminal_columns() {
  ::winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace

Console process_console() {
  return {std::cout, std::cerr, system_clock(), ::isatty(STDERR_FILENO) == 1, terminal_columns};
}

std::string printable_lines(std::string_view text) {
  std::string result;
  for (;;) {
    const auto end = text.find('\n');
    result += snapshot::printable(text.substr(0, end));
    if (end == std::string_view::npos) return result;
    result += '\n';
    text.remove_prefix(end + 1);
  }
}

void print_error(const Console& console, std::string_view message) {
  console.err << "cherax: " << printable_lines(message) << std::endl;
}

}  // namespace cherax::cli
