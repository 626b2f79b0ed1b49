#pragma once

#include <chrono>
#include <string>

namespace cherax::cli {

/// Options of every command; they may stand before or after it.
struct GlobalOptions {
  std::string url = "http://localhost:5515";
  std::chrono::seconds wait{0};  ///< for an operation to end; 0: do not wait
  bool json = false;             ///< one JSON document on standard output and nothing else there
};

}  // namespace cherax::cli
