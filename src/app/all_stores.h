#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string_view>

#include "base/json.h"
#include "storage/object_store.h"

namespace cherax::app {

/// Makes a store from its section of the configuration (without `storage_type`); nullptr when it added problems.
using StoreFactory = std::function<std::unique_ptr<storage::ObjectStore>(json::Reader&, const json::value& section)>;

/// By `storage_type`.
const std::map<std::string_view, StoreFactory>& all_stores();

}  // namespace cherax::app
