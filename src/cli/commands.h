#pragma once

#include "cli/command_line.h"
#include "cli/manifest.h"

namespace cherax::cli {

/// One file each. They keep `line`, which outlives them.
void add_backup(CommandLine& line);
void add_restore(CommandLine& line);
void add_list(CommandLine& line);
void add_cleanup(CommandLine& line);
void add_delete(CommandLine& line);

/// Every command but `server`: backup, restore, list, cleanup and delete ask a server, manifest reads the storage
/// itself.
void add_client_commands(CommandLine& line, OpenStorages open_storages);

}  // namespace cherax::cli
