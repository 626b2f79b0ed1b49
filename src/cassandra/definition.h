#pragma once

#include <string>
#include <string_view>

namespace cherax::cassandra {

/// Whether two CREATE statements define the same object, as far as two versions of Cassandra may word it differently:
/// white space, comments, the kind of quotes and the order of a table's columns do not count; of the options (`WITH a =
/// … AND b = …`) those that stand in both must be equal, since each version writes the options it knows. With ids in
/// both, the ids must be equal. Several statements (dropped columns) are compared one by one. Text that cannot be
/// scanned is equal to nothing.
bool same_definition(std::string_view one, std::string_view other);

}  // namespace cherax::cassandra
