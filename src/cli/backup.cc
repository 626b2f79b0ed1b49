#include "cli/commands.h"
#include "cli/operation.h"

namespace cherax::cli {

void add_backup(CommandLine& line) {
  line.add_command("backup", "Back up the cluster",
                   [&line] { return run_operation(line.console(), line.options(), "backup", ""); });
}

}  // namespace cherax::cli
