#pragma once

#include <ctime>
#include <string>

#include "http/message.h"

namespace cherax::http {

/// What the Connection header says.
enum class Persistence {
  unsaid,      ///< HTTP/1.1's default: the connection stays open
  keep_alive,  ///< the same, for HTTP/1.0
  close,
};

/// Status line and headers, up to and with the empty line.
std::string response_head(const Response& response, Persistence persistence, std::time_t now);

}  // namespace cherax::http
