#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace cherax {

/// An external command, run without a shell. Its standard input is /dev/null; it inherits no descriptor of ours.
struct Command {
  std::vector<std::string> arguments;    ///< the program first, as a path: see resolve_program
  std::vector<std::string> environment;  ///< `NAME=value`, all of it
  std::size_t output_limit = 64 * 1024;  ///< bytes of output kept: its end
};

struct CommandResult {
  std::optional<int> exit_status;
  std::optional<int> signal;  ///< that ended it, if it did not exit
  std::string output;         ///< the last `output_limit` bytes of standard output and error, as they came
  bool output_cut = false;    ///< there was more before

  bool succeeded() const { return exit_status == 0; }
};

/// Runs the command in a process group of its own and waits for its process, not for those that it leaves in the
/// background: what they inherited of our pipe stays theirs. When the deadline passes or `stop` is requested, the group
/// gets SIGTERM, two seconds later SIGKILL, and the result is Error{transient} or Error{cancelled} with the end of the
/// output. Error{not_found, denied or internal} when it cannot be started. Any thread.
CommandResult run_command(const Command& command, Deadline deadline, std::stop_token stop = {});

/// The same; anything but exit status 0 is Error{internal} with the command, its status and the end of its output.
std::string run_command_checked(const Command& command, Deadline deadline, std::stop_token stop = {});

/// For messages: the arguments, without what looks like a secret (`-pw ****`, `--password=****`).
std::string describe(const Command& command);

/// The environment of this process.
std::vector<std::string> current_environment();

/// The absolute path of a program, found without PATH, so that it is the same for every user and service manager: a
/// name with a slash is taken as it is (from the working directory, if relative), another one is looked for in
/// /usr/local/sbin, /usr/local/bin, /usr/sbin, /usr/bin, /sbin, /bin. Error{not_found} or Error{denied} when there is
/// no such file that this process may execute.
std::filesystem::path resolve_program(std::string_view name);

}  // namespace cherax
