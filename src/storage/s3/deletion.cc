#include "storage/s3/deletion.h"

#include <algorithm>

#include "storage/s3/answer.h"
#include "storage/s3/error_answer.h"

namespace cherax::storage::s3 {

bool fits_delete_objects(std::string_view key) {
  return std::ranges::none_of(key, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

std::string format_delete_objects(std::span<const std::string> keys) {
  pugi::xml_document document;
  auto root = document.append_child("Delete");
  root.append_attribute("xmlns").set_value(kXmlNamespace);
  for (const std::string& key : keys) append_text(root.append_child("Object"), "Key", key);
  append_text(root, "Quiet", "true");
  return to_text(document);
}

Result<std::vector<DeleteFailure>> parse_delete_failures(std::string_view text) {
  pugi::xml_document document;
  const auto root = open_answer(document, text, "DeleteResult");
  if (!root) return root.error();
  std::vector<DeleteFailure> failures;
  for (const pugi::xml_node node : root->children("Error")) {
    auto key = required_text_at(node, "Key");
    if (!key) return key.error();
    const ErrorAnswer answer{.status = 200, .code = text_at(node, "Code"), .message = text_at(node, "Message")};
    Error error = to_error(answer);
    if (error.kind() != ErrorKind::not_found) failures.push_back({std::move(*key), std::move(error)});
  }
  return failures;
}

}  // namespace cherax::storage::s3
