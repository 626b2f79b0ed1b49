#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

/// DeleteObjects: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
namespace cherax::storage::s3 {

/// As many keys as one request may name.
inline constexpr std::size_t kDeleteLimit = 1000;

/// Whether DeleteObjects can name the key: XML has no control characters, and a line end would come out as another.
bool fits_delete_objects(std::string_view key);

/// The body that deletes the keys and is answered with failures only. Each of them fits.
std::string format_delete_objects(std::span<const std::string> keys);

struct DeleteFailure {
  std::string key;
  Error error;
};

/// The objects that are still there. One that was not there to begin with is none of them.
Result<std::vector<DeleteFailure>> parse_delete_failures(std::string_view text);

}  // namespace cherax::storage::s3
