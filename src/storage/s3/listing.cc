#include "storage/s3/listing.h"

#include "storage/s3/page.h"

namespace cherax::storage::s3 {

namespace {

Result<ListedObject> parse_object(pugi::xml_node node, const KeyReader& keys) {
  auto key = keys.read(node, "Key");
  if (!key) return key.error();
  const auto size = required_number_at(node, "Size");
  if (!size) return size.error();
  const auto modified = parse_rfc3339(text_at(node, "LastModified"));
  if (!modified)
    return Error{ErrorKind::corrupt, "S3 lists an object with no time of change: " + modified.error().message()};
  return ListedObject{std::move(*key), *size, *modified, text_at(node, "StorageClass")};
}

}  // namespace

Result<ListPage> parse_list_page(std::string_view text) {
  pugi::xml_document document;
  const auto answer = open_page(document, text, "ListBucketResult");
  if (!answer) return answer.error();

  ListPage page;
  for (const pugi::xml_node node : answer->root.children("Contents")) {
    auto object = parse_object(node, answer->keys);
    if (!object) return object.error();
    page.objects.push_back(std::move(*object));
  }
  if (answer->more) {
    auto token = required_text_at(answer->root, "NextContinuationToken");
    if (!token) return token.error().in_context("S3 says there is more but not where it goes on (ListObjectsV2)");
    page.continuation_token = std::move(*token);
  }
  return page;
}

}  // namespace cherax::storage::s3
