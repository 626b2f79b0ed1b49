#include "storage/s3/multipart.h"

#include "storage/s3/answer.h"
#include "storage/s3/page.h"

namespace cherax::storage::s3 {

namespace {

Result<CompletedUpload> read_completed_upload(std::string_view text) {
  // Spaces sent to keep the connection open may stand before the XML declaration, where XML allows none.
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  pugi::xml_document document;
  const auto root = open_answer(document, text, "CompleteMultipartUploadResult");
  if (!root) return root.error();
  auto etag = required_text_at(*root, "ETag");
  if (!etag) return etag.error();
  return CompletedUpload{std::move(*etag), text_at(*root, "ChecksumCRC32C")};
}

Result<PendingUpload> parse_upload(pugi::xml_node node, const KeyReader& keys) {
  auto key = keys.read(node, "Key");
  if (!key) return key.error();
  auto id = required_text_at(node, "UploadId");
  if (!id) return id.error();
  const auto initiated = parse_rfc3339(text_at(node, "Initiated"));
  if (!initiated) return Error{ErrorKind::corrupt, "S3 lists an upload with no time: " + initiated.error().message()};
  return PendingUpload{std::move(*key), std::move(*id), *initiated};
}

}  // namespace

Result<std::string> parse_upload_id(std::string_view text) {
  pugi::xml_document document;
  const auto root = open_answer(document, text, "InitiateMultipartUploadResult");
  if (!root) return root.error();
  return required_text_at(*root, "UploadId");
}

std::string format_complete_upload(std::span<const UploadedPart> parts) {
  pugi::xml_document document;
  auto root = document.append_child("CompleteMultipartUpload");
  root.append_attribute("xmlns").set_value(kXmlNamespace);
  for (const UploadedPart& part : parts) {
    auto node = root.append_child("Part");
    if (!part.crc32c.empty()) append_text(node, "ChecksumCRC32C", part.crc32c);
    append_text(node, "ETag", part.etag);
    append_text(node, "PartNumber", std::to_string(part.number));
  }
  return to_text(document);
}

Result<CompletedUpload> parse_completed_upload(std::string_view text) {
  auto completed = read_completed_upload(text);
  if (completed || completed.error().kind() != ErrorKind::corrupt) return completed;
  return Error{ErrorKind::transient, completed.error().message()}.in_context(
      "whether the upload was completed is unknown");
}

Result<PendingUploads> parse_pending_uploads(std::string_view text) {
  pugi::xml_document document;
  const auto answer = open_page(document, text, "ListMultipartUploadsResult");
  if (!answer) return answer.error();

  PendingUploads page;
  for (const pugi::xml_node node : answer->root.children("Upload")) {
    auto upload = parse_upload(node, answer->keys);
    if (!upload) return upload.error();
    page.uploads.push_back(std::move(*upload));
  }
  if (answer->more) {
    auto key = answer->keys.read(answer->root, "NextKeyMarker");
    if (!key) return key.error();
    page.next = PendingUploads::Marker{std::move(*key), text_at(answer->root, "NextUploadIdMarker")};
  }
  return page;
}

}  // namespace cherax::storage::s3
