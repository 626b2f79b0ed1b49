#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "http/message.h"
#include "storage/s3/credentials.h"

/// AWS Signature Version 4 in the Authorization header, as S3 wants it:
/// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
/// S3 differs from Amazon's other services: a path is encoded once and never normalised, so that `a//b` and `a/../b`
/// are keys like any other. (libcurl must be told so too: CURLOPT_PATH_AS_IS.)
namespace cherax::storage::s3 {

/// What of an HTTP request is signed.
struct Request {
  std::string method;
  std::string path;        ///< '/' and the bytes after it, not encoded
  http::Parameters query;  ///< not encoded; a subresource (`?uploads`) has an empty value
  http::Headers headers;   ///< all are signed; `host` is among them as it is sent, with a port but the scheme's own
};

/// Where a signature is valid, and for what.
struct Scope {
  std::string region;
  std::string service = "s3";
};

/// The path and the query as they stand in the URL; a server that decodes what it gets signs the same text.
std::string encode_path(std::string_view path);
std::string encode_query(const http::Parameters& query);

/// What stands in x-amz-content-sha256: a body's SHA-256 in hex, or that the body is not covered. The latter is for TLS
/// only, where it saves a pass over each body; there the body's integrity is x-amz-checksum-crc32c's matter, a signed
/// header. Bodies are never streamed with a trailing checksum (STREAMING-UNSIGNED-PAYLOAD-TRAILER): each is a part in
/// memory, so its checksum is known when its headers are sent, and older servers refuse that mode.
std::string payload_hash(ByteView body);
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

/// The value of the Authorization header for the request as it is: x-amz-date is among its headers and says `now`.
std::string authorization(const Request& request, std::string_view payload_hash, const Credentials& credentials,
                          const Scope& scope, Timestamp now);

/// All headers to send: the request's own, x-amz-date, x-amz-content-sha256, the session token if there is one, and
/// authorization. A server takes them for 15 minutes: a repeated request is signed anew.
http::Headers sign(Request request, std::string_view payload_hash, const Credentials& credentials, const Scope& scope,
                   Timestamp now);

}  // namespace cherax::storage::s3
