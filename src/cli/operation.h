#pragma once

#include <string>

#include "cli/console.h"
#include "cli/exit_code.h"
#include "cli/options.h"

namespace cherax::cli {

/// Starts an operation on the server ("backup", "restore", "cleanup") with `body`, JSON or empty, and with
/// --wait-completion follows it to its end. Prints what Astacus prints:
///   Starting backup..
///   .. which took 12.345 seconds         or: .. which eventually failed        or: .. which timed out
/// or with --json an object: operation, state (started, done, fail, timed_out, refused, unknown), op_id, seconds,
/// backup, attempt, step, progress, error, holders. Progress, the reason of a failure and who holds a lock go to
/// standard error. Polls at once, then after 0.1, 0.2, 0.4 … s, at most 1 s apart. A server that does not answer
/// meanwhile is asked again until the waiting time is over.
ExitCode run_operation(const Console& console, const GlobalOptions& options, const std::string& operation,
                       const std::string& body);

}  // namespace cherax::cli
