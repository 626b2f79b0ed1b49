#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "http/message.h"

namespace cherax::storage::s3 {

/// What a server says when it does not do what was asked:
/// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html. STS answers alike, one element deeper.
struct ErrorAnswer {
  enum class Body { none, error, html, unreadable };

  int status = 0;          ///< of HTTP
  std::string code;        ///< `NoSuchKey`; empty when nothing says it
  std::string message;     ///< the server's words
  std::string request_id;  ///< what a provider's support asks for
  std::string host_id;     ///< the same
  std::string region;      ///< where the bucket is; empty when nothing says it or it is no region's name
  Body body = Body::none;
};

/// Never fails: of a body that is cut, HTML or empty (as the answer to HEAD always is), what there is is used, and the
/// rest comes from the headers. Only these elements are taken; others may repeat the request's secrets.
ErrorAnswer parse_error_answer(int status, const http::Headers& headers, std::string_view body);

/// The one place that knows what S3's codes, and its look-alikes', mean to a caller. not_found is only what may well be
/// missing (an object, an upload): a bucket that is not there is `invalid`, and so is a 404 of what is no S3 server.
ErrorKind classify(const ErrorAnswer& answer);

/// Whether to ask the provider of the credentials for new ones, and to repeat the request once.
bool wants_new_credentials(const ErrorAnswer& answer);

/// "HTTP 403 AccessDenied: Access Denied (request id 44…, host id Ua…): <what to do>". Printable, of bounded length.
Error to_error(const ErrorAnswer& answer);

}  // namespace cherax::storage::s3
