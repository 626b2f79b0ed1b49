#include "cli/progress_display.h"

#include <algorithm>
#include <utility>

#include "cli/text.h"
#include "snapshot/relative_path.h"

namespace cherax::cli {

void ProgressDisplay::show(const api::OperationStatus& status) {
  const auto now = console_.clock.steady();
  if (console_.live) {
    if (status.state == api::OperationState::done || status.state == api::OperationState::fail) return clear();
    line_.observe(now, status);
    return redraw(line_.text(columns()));
  }
  if (std::exchange(unreachable_, false)) console_.err << "the server answers again" << std::endl;
  if (const auto line = steps_.observe(now, status)) console_.err << *line << std::endl;
}

void ProgressDisplay::show_unreachable(const Error& error) {
  const auto text = "the server does not answer, trying again: " + snapshot::printable(error.message());
  if (console_.live) return redraw(cut(text, columns()));
  if (!std::exchange(unreachable_, true)) console_.err << text << std::endl;
}

void ProgressDisplay::clear() {
  if (drawn_ > 0) redraw("");
}

/// A terminal that is filled to its last column may break the line.
std::size_t ProgressDisplay::columns() const { return std::max<std::size_t>(console_.columns(), 2) - 1; }

/// Spaces instead of an escape sequence remove what is left of a longer line: every terminal knows them.
void ProgressDisplay::redraw(std::string_view text) {
  const auto width = width_of(text);
  console_.err << '\r' << text;
  if (width < drawn_) console_.err << std::string(drawn_ - width, ' ') << '\r' << text;
  console_.err << std::flush;
  drawn_ = width;
}

}  // namespace cherax::cli
