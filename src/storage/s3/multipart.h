#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

/// Multipart uploads: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html. An upload is finished or
/// aborted by who began it, never resumed by another process, so nothing here reads ListParts.
namespace cherax::storage::s3 {

/// The answer to CreateMultipartUpload.
Result<std::string> parse_upload_id(std::string_view text);

struct UploadedPart {
  int number = 0;      ///< from 1
  std::string etag;    ///< as the server gave it, quotes and all
  std::string crc32c;  ///< as in x-amz-checksum-crc32c; empty when checksums are off
};

/// The body of CompleteMultipartUpload. Parts are in the order of their numbers.
std::string format_complete_upload(std::span<const UploadedPart> parts);

struct CompletedUpload {
  std::string etag;
  std::string crc32c;  ///< of the whole object, or of the parts' checksums (checksum.h); empty when the server has none
};

/// The answer to it, which may be an error though its status was 200, after any number of spaces. An answer that is
/// cut, empty or unreadable is Error{transient}: the object may or may not be there.
Result<CompletedUpload> parse_completed_upload(std::string_view text);

struct PendingUpload {
  std::string key;  ///< decoded
  std::string upload_id;
  Timestamp initiated;
};

struct PendingUploads {
  struct Marker {
    std::string key;
    std::string upload_id;
  };
  std::vector<PendingUpload> uploads;
  std::optional<Marker> next;  ///< there is more
};

/// The answer to ListMultipartUploads, as strict as a listing.
Result<PendingUploads> parse_pending_uploads(std::string_view text);

}  // namespace cherax::storage::s3
