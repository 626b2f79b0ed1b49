#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cli/console.h"
#include "cli/exit_code.h"
#include "cli/options.h"

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace cherax::cli {

/// What a command does. A failure is returned or thrown as Error.
using Command = std::function<ExitCode()>;

/// The command line of the one binary: global options, and commands that others add. Lives longer than its run().
class CommandLine {
 public:
  CommandLine(const std::string& description, Console console);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  /// A command, or a command of a group; further options are added to what is returned. Global options may follow it.
  CLI::App& add_command(const std::string& name, const std::string& description, Command command);
  CLI::App& add_command(CLI::App& group, const std::string& name, const std::string& description, Command command);
  /// A command that needs one of its own commands: `manifest list`.
  CLI::App& add_group(const std::string& name, const std::string& description);

  /// Filled by run(), before the command.
  const GlobalOptions& options() const { return options_; }
  const Console& console() const { return console_; }

  /// Reads the arguments and runs the command. Nothing is thrown: errors are printed, with --json also as
  /// `{"state":"fail","error":…}`.
  ExitCode run(int argument_count, const char* const* arguments);

 private:
  void print_usage_error(const CLI::ParseError& error, bool without_arguments);
  ExitCode run_chosen();

  Console console_;
  GlobalOptions options_;
  std::unique_ptr<CLI::App> app_;
  Command chosen_;
};

}  // namespace cherax::cli
