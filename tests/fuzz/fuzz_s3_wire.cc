// What an S3 server and the providers of credentials answer, and AWS' shared files, hostile; XML as a whole and as the
// inside of each answer's root element: every parser gives a value or an Error of a kind that its header promises, a
// page that goes on says where, credentials are whole, and what is shown to people is printable and short.

#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <string>

#include "storage/s3/credentials.h"
#include "storage/s3/deletion.h"
#include "storage/s3/error_answer.h"
#include "storage/s3/listing.h"
#include "storage/s3/multipart.h"
#include "storage/s3/profile.h"

namespace {

using namespace cherax;
using namespace cherax::storage::s3;

void require(bool holds) {
  if (!holds) std::abort();
}

void require_shown_well(const Error& error) {
  require(error.message().size() < 4096);
  for (const char c : error.message()) require(static_cast<unsigned char>(c) >= 0x20);
}

void read_list_page(const std::string& text) {
  const auto page = parse_list_page(text);
  if (!page) return require_shown_well(page.error());
  for (const auto& object : page->objects) require(!object.key.empty());
  require(!page->continuation_token || !page->continuation_token->empty());
}

void read_pending_uploads(const std::string& text) {
  const auto page = parse_pending_uploads(text);
  if (!page) return require_shown_well(page.error());
  for (const auto& upload : page->uploads) require(!upload.key.empty() && !upload.upload_id.empty());
  require(!page->next || !page->next->key.empty());
}

void read_upload(const std::string& text) {
  if (const auto id = parse_upload_id(text)) require(!id->empty());
  const auto completed = parse_completed_upload(text);
  require(completed ? !completed->etag.empty() : completed.error().kind() != ErrorKind::corrupt);
}

void read_delete_failures(const std::string& text) {
  const auto failures = parse_delete_failures(text);
  if (!failures) return require_shown_well(failures.error());
  for (const auto& failure : *failures) require_shown_well(failure.error);
}

void read_error(const std::string& text) {
  for (const int status : {200, 301, 404, 500}) {
    const auto answer = parse_error_answer(status, {}, text);
    require_shown_well(to_error(answer));
    require(answer.region.size() <= 64);
  }
}

void require_whole(const Result<Credentials>& credentials) {
  if (!credentials) return require_shown_well(credentials.error());
  require(!credentials->access_key_id.empty() && !credentials->secret_access_key.empty());
}

void read_profiles(const std::string& text) {
  const auto profiles = parse_profiles(text, text);
  if (!profiles) return require(profiles.error().kind() == ErrorKind::invalid);
  for (const auto& [name, profile] : *profiles) {
    const auto identity = identity_of(*profiles, name);
    require(identity || identity.error().kind() == ErrorKind::invalid);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text{reinterpret_cast<const char*>(data), size};
  const auto in = [&](const std::string& root, const std::string& first = "") {
    return "<" + root + ">" + first + text + "</" + root + ">";
  };
  for (const auto& whole : {text, in("ListBucketResult"), in("ListBucketResult", "<IsTruncated>false</IsTruncated>")}) {
    read_list_page(whole);
  }
  for (const auto& whole :
       {text, in("ListMultipartUploadsResult"), in("ListMultipartUploadsResult", "<IsTruncated>false</IsTruncated>")}) {
    read_pending_uploads(whole);
  }
  for (const auto& whole : {text, in("InitiateMultipartUploadResult"), in("CompleteMultipartUploadResult")}) {
    read_upload(whole);
  }
  for (const auto& whole : {text, in("DeleteResult")}) read_delete_failures(whole);
  for (const auto& whole : {text, in("Error"), in("ErrorResponse")}) read_error(whole);
  for (const auto& whole : {text, "<AssumeRoleResponse>" + in("AssumeRoleResult") + "</AssumeRoleResponse>"}) {
    require_whole(parse_assumed_role(whole));
  }
  require_whole(parse_process_output(text));
  require_whole(parse_metadata_answer(text));
  for (const auto& whole : {text, "[default]\n" + text}) read_profiles(whole);
  return 0;
}
