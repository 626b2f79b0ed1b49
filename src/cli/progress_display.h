#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/messages.h"
#include "base/error.h"
#include "cli/console.h"
#include "cli/progress_line.h"

namespace cherax::cli {

/// Shows a console's user how an operation goes: on a terminal one line that is redrawn in place, otherwise a line for
/// each step as it begins.
class ProgressDisplay {
 public:
  ProgressDisplay(const Console& console, const std::string& operation) : console_(console), line_(operation) {}
  ~ProgressDisplay() { clear(); }
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  void show(const api::OperationStatus& status);
  /// The server does not answer, and is asked again.
  void show_unreachable(const Error& error);
  /// Removes the live line, so that others can follow.
  void clear();

 private:
  std::size_t columns() const;
  void redraw(std::string_view text);

  const Console& console_;
  ProgressLine line_;
  StepLines steps_;
  bool unreachable_ = false;
  std::size_t drawn_ = 0;  // columns of the line on the terminal
};

}  // namespace cherax::cli
