#pragma once

#include <string>

#include "api/messages.h"

namespace cherax::cli {

/// What `list` prints, in Astacus' form: two tables for each storage. The upper one holds the storage, what is equal
/// for all of its backups, how much of the data was uploaded, and how much smaller that is stored. Pure.
std::string format_backups(const api::ListResponse& response);

}  // namespace cherax::cli
