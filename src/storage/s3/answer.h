#pragma once

#include <string_view>

#include "storage/s3/xml.h"

namespace cherax::storage::s3 {

/// The root element of what a request that succeeded (2xx) was answered with. Error{corrupt} when that is not `root`.
/// Some requests fail after their status was sent: an <Error> in its place is that error, classified.
Result<pugi::xml_node> open_answer(pugi::xml_document& document, std::string_view text, std::string_view root);

}  // namespace cherax::storage::s3
