#pragma once

#include "api/messages.h"
#include "repository/manifest.h"

namespace cherax::repository {

/// What `GET /list` says of a backup. `cluster_files` and `cluster_data_size` count each content as often as the node
/// with most copies of it has it; all embedded files count as one content of the size of the first. At most 64 bytes
/// per distinct digest are in memory meanwhile.
api::ListEntry summarize(const BackupName& name, const SpooledManifest& manifest);

}  // namespace cherax::repository
