#pragma once

namespace cherax::cli {

/// What the process ends with. Scripts rely on these values.
enum class ExitCode {
  success = 0,  ///< done; of an operation without --wait-completion: accepted and started by the server
  failure = 1,  ///< failed, refused, too late, or the server or storage could not be reached
  usage = 2,    ///< the command line cannot be right, or names no command; nothing was done
};

}  // namespace cherax::cli
