#include "cli/commands.h"

namespace cherax::cli {

void add_client_commands(CommandLine& line, OpenStorages open_storages) {
  add_backup(line);
  add_restore(line);
  add_list(line);
  add_cleanup(line);
  add_delete(line);
  add_manifest(line, std::move(open_storages));
}

}  // namespace cherax::cli
