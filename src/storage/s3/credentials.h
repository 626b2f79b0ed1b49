#pragma once

#include <optional>
#include <string>

#include "base/clock.h"

namespace cherax::storage::s3 {

/// Who signs. Deliberately neither formattable nor streamable: it never ends up in a message or a log.
struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;         ///< empty for keys that live long
  std::optional<Timestamp> expires;  ///< nullopt for keys that live long
};

}  // namespace cherax::storage::s3
