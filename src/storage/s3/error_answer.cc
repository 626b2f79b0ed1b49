#include "storage/s3/error_answer.h"

#include <algorithm>
#include <array>

#include "storage/s3/xml.h"

namespace cherax::storage::s3 {

namespace {

struct KnownCode {
  std::string_view code;
  ErrorKind kind;
  std::string_view advice;
};

constexpr std::string_view kSetClock = "set this machine's clock, or the server's";
constexpr std::string_view kRegion = "configure the bucket's region";
constexpr std::string_view kDamaged = "the bytes were damaged on their way";
constexpr std::string_view kKeys = "the access key or its secret is not what the server knows";
constexpr std::string_view kExpired = "the credentials have expired, or their session token is wrong";
constexpr std::string_view kPermission =
    "the identity lacks the permission for this, or the bucket's policy forbids it";
constexpr std::string_view kFull = "free or add space at the server";

// Amazon's, MinIO's (XMinio…), Ceph's and versitygw's. What is not here is told by its status.
constexpr std::array kKnownCodes{
    KnownCode{"NoSuchKey", ErrorKind::not_found},
    KnownCode{"NoSuchVersion", ErrorKind::not_found},
    KnownCode{"NoSuchUpload", ErrorKind::not_found},
    KnownCode{"NoSuchBucket", ErrorKind::invalid, "create the bucket, or configure its right name and endpoint"},

    KnownCode{"PreconditionFailed", ErrorKind::already_exists},
    KnownCode{"BucketAlreadyExists", ErrorKind::already_exists},
    KnownCode{"BucketAlreadyOwnedByYou", ErrorKind::already_exists},
    KnownCode{"RestoreAlreadyInProgress", ErrorKind::already_exists},
    KnownCode{"ConditionalRequestConflict", ErrorKind::transient},
    KnownCode{"OperationAborted", ErrorKind::transient},

    KnownCode{"SlowDown", ErrorKind::throttled},
    KnownCode{"SlowDownRead", ErrorKind::throttled},
    KnownCode{"SlowDownWrite", ErrorKind::throttled},
    KnownCode{"TooManyRequests", ErrorKind::throttled},
    KnownCode{"TooManyRequestsException", ErrorKind::throttled},
    KnownCode{"RequestLimitExceeded", ErrorKind::throttled},
    KnownCode{"BandwidthLimitExceeded", ErrorKind::throttled},
    KnownCode{"Throttling", ErrorKind::throttled},
    KnownCode{"ThrottlingException", ErrorKind::throttled},
    KnownCode{"ThrottledException", ErrorKind::throttled},
    KnownCode{"RequestThrottled", ErrorKind::throttled},

    KnownCode{"InternalError", ErrorKind::transient},
    KnownCode{"ServiceUnavailable", ErrorKind::transient},
    KnownCode{"RequestTimeout", ErrorKind::transient},
    KnownCode{"IncompleteBody", ErrorKind::transient},
    KnownCode{"BadDigest", ErrorKind::transient, kDamaged},
    KnownCode{"XAmzContentSHA256Mismatch", ErrorKind::transient, kDamaged},
    KnownCode{"XAmzContentChecksumMismatch", ErrorKind::transient, kDamaged},
    KnownCode{"IDPCommunicationError", ErrorKind::transient},

    KnownCode{"AccessDenied", ErrorKind::denied, kPermission},
    KnownCode{"AllAccessDisabled", ErrorKind::denied},
    KnownCode{"AccountProblem", ErrorKind::denied},
    KnownCode{"SignatureDoesNotMatch", ErrorKind::denied, kKeys},
    KnownCode{"InvalidAccessKeyId", ErrorKind::denied, kKeys},
    KnownCode{"InvalidClientTokenId", ErrorKind::denied, kKeys},
    KnownCode{"InvalidToken", ErrorKind::denied, kExpired},
    KnownCode{"InvalidTokenId", ErrorKind::denied, kExpired},
    KnownCode{"ExpiredToken", ErrorKind::denied, kExpired},
    KnownCode{"ExpiredTokenException", ErrorKind::denied, kExpired},
    KnownCode{"TokenRefreshRequired", ErrorKind::denied, kExpired},
    KnownCode{"InvalidIdentityToken", ErrorKind::denied},
    KnownCode{"RequestTimeTooSkewed", ErrorKind::denied, kSetClock},
    KnownCode{"RequestExpired", ErrorKind::denied, kSetClock},

    KnownCode{"InvalidObjectState", ErrorKind::invalid, "the object is in an archive class: have it restored first"},
    KnownCode{"AuthorizationHeaderMalformed", ErrorKind::invalid, kRegion},
    KnownCode{"InvalidRegion", ErrorKind::invalid, kRegion},
    KnownCode{"IllegalLocationConstraintException", ErrorKind::invalid, kRegion},
    KnownCode{"PermanentRedirect", ErrorKind::invalid, kRegion},
    KnownCode{"TemporaryRedirect", ErrorKind::transient},
    KnownCode{"NotImplemented", ErrorKind::invalid, "the server does not have this function of S3"},

    KnownCode{"XMinioServerNotInitialized", ErrorKind::transient},
    KnownCode{"XMinioBackendDown", ErrorKind::transient},
    KnownCode{"XMinioStorageFull", ErrorKind::internal, kFull},
    KnownCode{"XMinioAdminBucketQuotaExceeded", ErrorKind::internal, kFull},
    KnownCode{"QuotaExceeded", ErrorKind::internal, kFull},
    KnownCode{"XMinioObjectTampered", ErrorKind::corrupt},
};

const KnownCode* find_known(std::string_view code) {
  const auto* found = std::ranges::find(kKnownCodes, code, &KnownCode::code);
  return found == kKnownCodes.end() ? nullptr : found;
}

ErrorKind kind_of_status(int status) {
  switch (status) {
    case 404:
      return ErrorKind::not_found;
    case 412:
      return ErrorKind::already_exists;
    case 429:
      return ErrorKind::throttled;
    case 401:
    case 403:
    case 407:
      return ErrorKind::denied;
    case 307:
    case 408:
    case 425:
      return ErrorKind::transient;
    case 501:
    case 505:
      return ErrorKind::invalid;
    case 507:
      return ErrorKind::internal;
    default:
      if (status >= 500) return ErrorKind::transient;
      return status >= 300 ? ErrorKind::invalid : ErrorKind::internal;
  }
}

std::string or_header(std::string text, const http::Headers& headers, std::string_view name) {
  if (const auto* value = headers.find(name); text.empty() && value) return *value;
  return text;
}

bool is_region(std::string_view text) {
  return text.size() <= 64 &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

ErrorAnswer::Body kind_of_unreadable(std::string_view body) {
  body.remove_prefix(std::min(body.find_first_not_of(" \t\r\n"), body.size()));
  if (body.empty()) return ErrorAnswer::Body::none;
  for (const std::string_view start : {"<!doctype html", "<html"}) {
    if (http::equal_ignoring_case(body.substr(0, start.size()), start)) return ErrorAnswer::Body::html;
  }
  return ErrorAnswer::Body::unreadable;
}

/// For a line on a terminal or in a log.
std::string shown(std::string_view text) {
  static constexpr std::size_t kLimit = 500;
  std::string line{text.substr(0, kLimit)};
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  if (text.size() > kLimit) line.append("…");
  return line;
}

std::string_view words_for(ErrorAnswer::Body body) {
  switch (body) {
    case ErrorAnswer::Body::html:
      return "the answer is an HTML page: the endpoint is no S3 server, or a proxy answers in its place";
    case ErrorAnswer::Body::unreadable:
      return "the answer's body is not what S3 sends: it was cut, or the endpoint is no S3 server";
    default:
      return "";
  }
}

}  // namespace

ErrorAnswer parse_error_answer(int status, const http::Headers& headers, std::string_view body) {
  ErrorAnswer answer{.status = status, .body = ErrorAnswer::Body::error};
  pugi::xml_document document;
  const auto parsed = parse_xml(document, body);
  pugi::xml_node error = document.child("Error");
  if (const auto sts = document.child("ErrorResponse")) {
    error = sts.child("Error");
    answer.request_id = text_at(sts, "RequestId");
  }
  if (!error || !parsed) answer.body = kind_of_unreadable(body);
  // Elements that were complete before the cut are as good as any.
  answer.code = text_at(error, "Code");
  answer.message = text_at(error, "Message");
  if (answer.request_id.empty()) answer.request_id = text_at(error, "RequestId");
  answer.host_id = text_at(error, "HostId");
  answer.region = or_header(text_at(error, "Region"), headers, "x-amz-bucket-region");
  if (!is_region(answer.region)) answer.region.clear();
  answer.code = or_header(std::move(answer.code), headers, "x-minio-error-code");  // MinIO's answer to HEAD
  answer.request_id = or_header(std::move(answer.request_id), headers, "x-amz-request-id");
  answer.host_id = or_header(std::move(answer.host_id), headers, "x-amz-id-2");
  return answer;
}

ErrorKind classify(const ErrorAnswer& answer) {
  if (const auto* known = find_known(answer.code)) return known->kind;
  const bool speaks_s3 = !answer.code.empty() || answer.body == ErrorAnswer::Body::none;
  if (answer.status == 404 && !speaks_s3) return ErrorKind::invalid;
  return kind_of_status(answer.status);
}

bool wants_new_credentials(const ErrorAnswer& answer) {
  static constexpr std::array<std::string_view, 5> kCodes{"ExpiredToken", "ExpiredTokenException",
                                                          "TokenRefreshRequired", "InvalidToken", "InvalidTokenId"};
  return std::ranges::find(kCodes, answer.code) != kCodes.end();
}

Error to_error(const ErrorAnswer& answer) {
  std::string text = fmt::format("HTTP {}", answer.status);
  if (!answer.code.empty()) text.append(" ").append(shown(answer.code));
  if (!answer.message.empty()) text.append(": ").append(shown(answer.message));
  if (!answer.request_id.empty() || !answer.host_id.empty()) {
    text.append(fmt::format(" (request id {}{}{})", answer.request_id.empty() ? "unknown" : shown(answer.request_id),
                            answer.host_id.empty() ? "" : ", host id ", shown(answer.host_id)));
  }
  if (const auto* known = find_known(answer.code); known && !known->advice.empty()) {
    text.append(": ").append(known->advice);
  } else if (answer.code.empty() && !words_for(answer.body).empty()) {
    text.append(": ").append(words_for(answer.body));
  }
  if (!answer.region.empty()) text.append(fmt::format("; the bucket is in {}", answer.region));
  return {classify(answer), std::move(text)};
}

}  // namespace cherax::storage::s3
