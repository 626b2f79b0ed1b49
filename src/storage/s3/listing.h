#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace cherax::storage::s3 {

struct ListedObject {
  std::string key;  ///< with the store's prefix; decoded
  std::uint64_t size = 0;
  Timestamp modified;
  std::string storage_class;  ///< empty where the server has none
};

struct ListPage {
  std::vector<ListedObject> objects;              ///< in the server's order, maybe none
  std::optional<std::string> continuation_token;  ///< there is more
};

/// The answer to ListObjectsV2: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html. Keys are
/// decoded when the answer says that they are encoded, which a server may not do though it was asked. An answer that
/// says there is more but not where it goes on, or an entry that lacks something, is Error{corrupt}: nobody may take a
/// part of a bucket for all of it.
Result<ListPage> parse_list_page(std::string_view text);

}  // namespace cherax::storage::s3
