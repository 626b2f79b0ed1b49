#include "storage/s3/page.h"

#include <algorithm>
#include <cctype>

#include "http/url.h"
#include "storage/s3/answer.h"

namespace cherax::storage::s3 {

namespace {

bool has_broken_escape(std::string_view text) {
  const auto is_hex = [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; };
  for (auto at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
    if (at + 2 >= text.size() || !is_hex(text[at + 1]) || !is_hex(text[at + 2])) return true;
  }
  return false;
}

Result<bool> is_truncated(pugi::xml_node root) {
  const std::string text = text_at(root, "IsTruncated");
  if (text == "true") return true;
  if (text == "false") return false;
  return make_error(ErrorKind::corrupt, "S3 sent a <{}> that does not say whether there is more", root.name());
}

}  // namespace

Result<KeyReader> KeyReader::of(pugi::xml_node root) {
  const std::string encoding = text_at(root, "EncodingType");
  if (encoding.empty()) return KeyReader{false};
  if (encoding == "url") return KeyReader{true};
  return make_error(ErrorKind::corrupt, "S3 encodes keys in a way that nobody asked for");
}

Result<std::string> KeyReader::read(pugi::xml_node parent, const char* child) const {
  auto text = required_text_at(parent, child);
  if (!text || !encoded_) return text;
  if (has_broken_escape(*text)) return make_error(ErrorKind::corrupt, "S3 names a key that is not URL-encoded");
  std::ranges::replace(*text, '+', ' ');
  return http::percent_decode(*text);
}

Result<Page> open_page(pugi::xml_document& document, std::string_view text, std::string_view root) {
  const auto opened = open_answer(document, text, root);
  if (!opened) return opened.error();
  const auto keys = KeyReader::of(*opened);
  if (!keys) return keys.error();
  const auto more = is_truncated(*opened);
  if (!more) return more.error();
  return Page{*opened, *keys, *more};
}

}  // namespace cherax::storage::s3
