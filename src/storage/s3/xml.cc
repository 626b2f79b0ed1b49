#include "storage/s3/xml.h"

#include <charconv>
#include <sstream>

namespace cherax::storage::s3 {

namespace {

/// Whether `reference`, the text after "&#", is a number of Unicode but for 0, and ends with ';'.
bool is_character(std::string_view reference) {
  int base = 10;
  if (reference.starts_with('x')) {
    reference.remove_prefix(1);
    base = 16;
  }
  std::uint32_t number = 0;
  const char* last = reference.data() + reference.size();
  const auto [end, error] = std::from_chars(reference.data(), last, number, base);
  return error == std::errc{} && end != last && *end == ';' && number != 0 && number <= 0x10ffff;
}

/// pugixml takes any: &#0; would end a key early, and make it another's name.
bool has_bad_character_reference(std::string_view text) {
  for (auto at = text.find("&#"); at != std::string_view::npos; at = text.find("&#", at + 2)) {
    if (!is_character(text.substr(at + 2))) return true;
  }
  return false;
}

}  // namespace

Result<pugi::xml_node> parse_xml(pugi::xml_document& document, std::string_view text) {
  if (text.size() > kXmlLimit)
    return make_error(ErrorKind::corrupt, "XML of {} bytes: more than S3 sends", text.size());
  if (text.find('\0') != std::string_view::npos) return make_error(ErrorKind::corrupt, "XML with a NUL byte");
  if (has_bad_character_reference(text)) return make_error(ErrorKind::corrupt, "XML with a broken character reference");
  const auto parsed = document.load_buffer(text.data(), text.size(),
                                           pugi::parse_default | pugi::parse_ws_pcdata_single | pugi::parse_doctype,
                                           pugi::encoding_utf8);
  if (!parsed) return make_error(ErrorKind::corrupt, "no XML: {} at offset {}", parsed.description(), parsed.offset);
  pugi::xml_node root;
  for (const pugi::xml_node node : document.children()) {
    if (node.type() == pugi::node_doctype) return make_error(ErrorKind::corrupt, "XML with a document type");
    if (node.type() != pugi::node_element) continue;
    if (root) return make_error(ErrorKind::corrupt, "XML with two root elements");
    root = node;
  }
  return root;
}

std::string text_at(pugi::xml_node parent, const char* child) {
  std::string text;
  for (const pugi::xml_node part : parent.child(child).children()) text.append(part.value());
  return text;
}

Result<std::string> required_text_at(pugi::xml_node parent, const char* child) {
  auto text = text_at(parent, child);
  if (text.empty()) return make_error(ErrorKind::corrupt, "XML without <{}> in <{}>", child, parent.name());
  return text;
}

Result<std::uint64_t> required_number_at(pugi::xml_node parent, const char* child) {
  const std::string text = text_at(parent, child);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return make_error(ErrorKind::corrupt, "XML without a number in <{}> of <{}>", child, parent.name());
  }
  return number;
}

void append_text(pugi::xml_node parent, const char* child, const std::string& text) {
  parent.append_child(child).append_child(pugi::node_pcdata).set_value(text.c_str());
}

std::string to_text(const pugi::xml_document& document) {
  std::ostringstream stream;
  document.save(stream, "", pugi::format_raw, pugi::encoding_utf8);
  return std::move(stream).str();
}

}  // namespace cherax::storage::s3
