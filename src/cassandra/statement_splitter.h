#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace cherax::cassandra {

/// The statements of CQL text, in order, without `;` and without what stands between them: CQL takes one statement a
/// request. A `;` in a string, a quoted name, `$$…$$` or a comment ends nothing; comments inside a statement stay. Text
/// of comments only has no statement. A quote or comment that does not end is Error{invalid}. BATCH is not known.
Result<std::vector<std::string>> split_statements(std::string_view text);

}  // namespace cherax::cassandra
