#pragma once

#include <filesystem>

namespace cherax::app {

/// `cherax server -c FILE`: serves until SIGTERM or SIGINT, then ends what runs and returns 0. Failures to start are
/// thrown as Error. One call a process.
int run_server(const std::filesystem::path& config);

}  // namespace cherax::app
