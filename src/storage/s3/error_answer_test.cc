#include "storage/s3/error_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/s3/answer.h"

namespace cherax::storage::s3 {
namespace {

using testing::HasSubstr;
using testing::Not;
using Body = ErrorAnswer::Body;

constexpr std::string_view kDenied =
    R"(<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>AccessDenied</Code><Message>Access Denied</Message><RequestId>RID</RequestId><HostId>HID</HostId></Error>)";

TEST(ErrorAnswer, TakesTheWordsOfTheBody) {
  const auto answer = parse_error_answer(403, {}, kDenied);
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.code, "AccessDenied");
  EXPECT_EQ(answer.message, "Access Denied");
  EXPECT_EQ(answer.request_id, "RID");
  EXPECT_EQ(answer.host_id, "HID");
  EXPECT_EQ(answer.region, "");
  EXPECT_EQ(answer.body, Body::error);
}

TEST(ErrorAnswer, TakesTheRegionFromTheBodyOrTheHeader) {
  EXPECT_EQ(
      parse_error_answer(400, {}, "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>")
          .region,
      "eu-west-1");
  EXPECT_EQ(parse_error_answer(301, {{"X-Amz-Bucket-Region", "us-west-2"}}, "").region, "us-west-2");
}

TEST(ErrorAnswer, TakesNoRegionThatIsNone) {
  for (const std::string region : {"evil.example/", "a b", "A", "eu-west-1\n", "x@y"}) {
    EXPECT_EQ(parse_error_answer(301, {{"x-amz-bucket-region", region}}, "").region, "") << region;
  }
  EXPECT_EQ(parse_error_answer(301, {{"x-amz-bucket-region", std::string(65, 'a')}}, "").region, "");
}

TEST(ErrorAnswer, UsesTheHeadersWhenThereIsNoBody) {
  const auto answer = parse_error_answer(
      404, {{"x-amz-request-id", "RID"}, {"x-amz-id-2", "HID"}, {"X-Minio-Error-Code", "NoSuchBucket"}}, "");
  EXPECT_EQ(answer.code, "NoSuchBucket");
  EXPECT_EQ(answer.request_id, "RID");
  EXPECT_EQ(answer.host_id, "HID");
  EXPECT_EQ(answer.body, Body::none);
}

TEST(ErrorAnswer, ReadsWhatStsSays) {
  const auto answer = parse_error_answer(403, {},
                                         R"(<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
      <Error><Type>Sender</Type><Code>ExpiredTokenException</Code><Message>Token expired</Message></Error>
      <RequestId>c6104cbe</RequestId></ErrorResponse>)");
  EXPECT_EQ(answer.code, "ExpiredTokenException");
  EXPECT_EQ(answer.message, "Token expired");
  EXPECT_EQ(answer.request_id, "c6104cbe");
}

TEST(ErrorAnswer, MakesTheBestOfABodyThatIsCut) {
  for (std::size_t size = 0; size < kDenied.size(); ++size) {
    const auto answer = parse_error_answer(403, {}, kDenied.substr(0, size));
    EXPECT_EQ(classify(answer), ErrorKind::denied) << size;
    EXPECT_NE(kDenied.find(answer.message), std::string_view::npos) << size;
  }
  EXPECT_EQ(parse_error_answer(403, {}, kDenied.substr(0, kDenied.find("<Message>"))).code, "AccessDenied");
}

TEST(ErrorAnswer, KnowsHtmlFromOtherBodies) {
  EXPECT_EQ(parse_error_answer(502, {}, "<!DOCTYPE HTML><html><body>Bad Gateway</body></html>").body, Body::html);
  EXPECT_EQ(parse_error_answer(502, {}, "\n<html>\n<head>").body, Body::html);
  EXPECT_EQ(parse_error_answer(502, {}, "upstream died").body, Body::unreadable);
  EXPECT_EQ(parse_error_answer(502, {}, "<ListBucketResult/>").body, Body::unreadable);
  EXPECT_EQ(parse_error_answer(502, {}, " \r\n").body, Body::none);
}

TEST(Classify, KnowsTheCodes) {
  struct Row {
    std::string code;
    int status;
    ErrorKind kind;
  };
  const Row rows[] = {
      {"NoSuchKey", 404, ErrorKind::not_found},
      {"NoSuchUpload", 404, ErrorKind::not_found},
      {"NoSuchBucket", 404, ErrorKind::invalid},
      {"NoSuchTagSet", 404, ErrorKind::not_found},
      {"", 404, ErrorKind::not_found},
      {"AccessDenied", 403, ErrorKind::denied},
      {"AccessDenied", 400, ErrorKind::denied},  // MinIO: a header that was not signed
      {"SignatureDoesNotMatch", 403, ErrorKind::denied},
      {"InvalidAccessKeyId", 403, ErrorKind::denied},
      {"", 403, ErrorKind::denied},
      {"UnauthorizedAccess", 401, ErrorKind::denied},
      {"SlowDown", 503, ErrorKind::throttled},
      {"SlowDownWrite", 503, ErrorKind::throttled},  // MinIO
      {"TooManyRequests", 429, ErrorKind::throttled},
      {"", 429, ErrorKind::throttled},
      {"ServiceUnavailable", 503, ErrorKind::transient},
      {"", 503, ErrorKind::transient},
      {"InternalError", 500, ErrorKind::transient},
      {"", 502, ErrorKind::transient},
      {"", 504, ErrorKind::transient},
      {"RequestTimeout", 400, ErrorKind::transient},
      {"RequestTimeout", 503, ErrorKind::transient},  // MinIO: a lock that took too long
      {"RequestTimeTooSkewed", 403, ErrorKind::denied},
      {"PreconditionFailed", 412, ErrorKind::already_exists},
      {"", 412, ErrorKind::already_exists},
      {"ConditionalRequestConflict", 409, ErrorKind::transient},
      {"OperationAborted", 409, ErrorKind::transient},
      {"BucketAlreadyOwnedByYou", 409, ErrorKind::already_exists},
      {"XMinioObjectExistsAsDirectory", 409, ErrorKind::invalid},
      {"InvalidObjectState", 403, ErrorKind::invalid},
      {"RestoreAlreadyInProgress", 409, ErrorKind::already_exists},
      {"AuthorizationHeaderMalformed", 400, ErrorKind::invalid},
      {"PermanentRedirect", 301, ErrorKind::invalid},
      {"", 301, ErrorKind::invalid},
      {"TemporaryRedirect", 307, ErrorKind::transient},
      {"ExpiredToken", 400, ErrorKind::denied},
      {"InvalidTokenId", 403, ErrorKind::denied},  // MinIO
      {"BadDigest", 400, ErrorKind::transient},
      {"XAmzContentChecksumMismatch", 400, ErrorKind::transient},  // MinIO
      {"XAmzContentSHA256Mismatch", 400, ErrorKind::transient},
      {"InvalidPart", 400, ErrorKind::invalid},
      {"EntityTooSmall", 400, ErrorKind::invalid},
      {"InvalidStorageClass", 400, ErrorKind::invalid},
      {"XMinioInvalidObjectName", 400, ErrorKind::invalid},
      {"InvalidRange", 416, ErrorKind::invalid},
      {"NotImplemented", 501, ErrorKind::invalid},
      {"XMinioServerNotInitialized", 503, ErrorKind::transient},
      {"XMinioStorageFull", 507, ErrorKind::internal},
      {"QuotaExceeded", 403, ErrorKind::internal},  // Ceph
      {"XMinioObjectTampered", 206, ErrorKind::corrupt},
      {"InternalError", 200, ErrorKind::transient},
      {"SlowDown", 200, ErrorKind::throttled},
      {"Unheard", 200, ErrorKind::internal},
      {"Unheard", 500, ErrorKind::transient},
      {"Unheard", 400, ErrorKind::invalid},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(to_string(classify({.status = row.status, .code = row.code})), to_string(row.kind))
        << row.status << ' ' << row.code;
  }
}

TEST(Classify, DoesNotTakeAWebServersNotFoundForAMissingObject) {
  EXPECT_EQ(classify(parse_error_answer(404, {}, "<html>Not Found</html>")), ErrorKind::invalid);
  EXPECT_EQ(classify(parse_error_answer(404, {}, "404 page not found\n")), ErrorKind::invalid);
  EXPECT_EQ(classify(parse_error_answer(404, {}, "<Error><Code>NoSuchKey</Code>")), ErrorKind::not_found);
}

TEST(WantsNewCredentials, WhenTheyHaveExpired) {
  for (const std::string code : {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken"}) {
    EXPECT_TRUE(wants_new_credentials({.status = 400, .code = code})) << code;
  }
  for (const std::string code : {"", "AccessDenied", "SignatureDoesNotMatch", "RequestTimeTooSkewed", "SlowDown"}) {
    EXPECT_FALSE(wants_new_credentials({.status = 403, .code = code})) << code;
  }
}

TEST(ToError, SaysWhatCameBackAndWhatToDo) {
  EXPECT_EQ(to_error(parse_error_answer(403, {}, kDenied)).message(),
            "HTTP 403 AccessDenied: Access Denied (request id RID, host id HID): the identity lacks the permission for "
            "this, or the bucket's policy forbids it");
  EXPECT_EQ(to_error({.status = 503}).message(), "HTTP 503");
  EXPECT_THAT(to_error({.status = 403, .code = "RequestTimeTooSkewed"}).message(), HasSubstr("clock"));
  EXPECT_THAT(to_error({.status = 301, .code = "PermanentRedirect", .region = "eu-west-1"}).message(),
              HasSubstr("the bucket is in eu-west-1"));
  EXPECT_THAT(to_error(parse_error_answer(404, {}, "<html>")).message(), HasSubstr("HTML page"));
  EXPECT_THAT(to_error(parse_error_answer(500, {}, "<Err")).message(), HasSubstr("was cut"));
}

TEST(ToError, RepeatsNoSecretOfTheRequest) {
  const auto error = to_error(parse_error_answer(403, {},
                                                 "<Error><Code>SignatureDoesNotMatch</Code><Message>No match.</Message>"
                                                 "<StringToSign>hush</StringToSign><CanonicalRequest>x-amz-security-"
                                                 "token:hush</CanonicalRequest><Token-0>hush</Token-0></Error>"));
  EXPECT_THAT(error.message(), Not(HasSubstr("hush")));
}

TEST(ToError, IsPrintableAndShort) {
  const auto message = to_error({.status = 500, .code = "A\x1b[31m", .message = std::string(100'000, '\n')}).message();
  EXPECT_LT(message.size(), 2000U);
  for (const char c : message) EXPECT_FALSE(static_cast<unsigned char>(c) < 0x20);
}

TEST(OpenAnswer, FindsTheErrorThatStandsInASuccess) {
  pugi::xml_document document;
  const auto root = open_answer(document, "<Error><Code>SlowDown</Code></Error>", "CopyObjectResult");
  EXPECT_EQ(root.error().kind(), ErrorKind::throttled);
}

TEST(OpenAnswer, RefusesAnythingElse) {
  for (const std::string_view text : {"", "<html></html>", "<!DOCTYPE html><html></html>", "<A/>", "<B>", "{}"}) {
    pugi::xml_document document;
    EXPECT_EQ(open_answer(document, text, "B").error().kind(), ErrorKind::corrupt) << text;
  }
}

}  // namespace
}  // namespace cherax::storage::s3
