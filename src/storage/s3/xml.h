#pragma once

#include <cstdint>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "base/error.h"

/// XML as S3 uses it, over pugixml (docs/adr/0005-pugixml.md): untrusted, in memory, of bounded size.
namespace cherax::storage::s3 {

/// More than a listing of 1,000 keys of 1,024 bytes has when each byte is encoded. A hostile document of this size, of
/// little but elements, takes 110 MB to parse.
inline constexpr std::size_t kXmlLimit = 4 * 1024 * 1024;

/// Of S3's own elements, in what is sent to it.
inline constexpr const char* kXmlNamespace = "http://s3.amazonaws.com/doc/2006-03-01/";

/// The one root element. Error{corrupt} for what is not well-formed, has a document type (so there are no entities but
/// XML's own five), or is larger than kXmlLimit. `document` then holds what was read before the fault.
Result<pugi::xml_node> parse_xml(pugi::xml_document& document, std::string_view text);

/// The text of the child of that name, empty without one.
std::string text_at(pugi::xml_node parent, const char* child);
/// Error{corrupt} when there is no such child, or it is empty.
Result<std::string> required_text_at(pugi::xml_node parent, const char* child);
/// Decimal digits only. Error{corrupt} for anything else.
Result<std::uint64_t> required_number_at(pugi::xml_node parent, const char* child);

/// A child of that name with that text.
void append_text(pugi::xml_node parent, const char* child, const std::string& text);
/// A document on one line, with its declaration.
std::string to_text(const pugi::xml_document& document);

}  // namespace cherax::storage::s3
