#include "storage/s3/signing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <boost/describe/class.hpp>

#include "base/file.h"
#include "base/json.h"

namespace cherax::storage::s3 {

struct SignedRequest {
  std::string name;
  std::string method;
  std::string path;
  std::string query;
  std::vector<std::vector<std::string>> headers;
  std::string body;
  std::string session_token;
  bool payload_header = false;
  std::string signature;
};
BOOST_DESCRIBE_STRUCT(SignedRequest, (),
                      (name, method, path, query, headers, body, session_token, payload_header, signature))

/// A file of tests/vectors/sigv4.
struct Vectors {
  std::string access_key_id;
  std::string secret_access_key;
  std::string region;
  std::string service;
  Timestamp time;
  std::vector<SignedRequest> requests;
};
BOOST_DESCRIBE_STRUCT(Vectors, (), (access_key_id, secret_access_key, region, service, time, requests))

namespace {

using testing::EndsWith;
using testing::HasSubstr;

Vectors read_vectors(const std::string& name) {
  const auto text = read_text(std::string{CHERAX_VECTORS} + "/sigv4/" + name, 1024 * 1024);
  return json::read<Vectors>(json::parse(text).value(), {.refuse_unknown = true}).value();
}

Request request_of(const SignedRequest& vector) {
  Request request{vector.method, vector.path, http::parse_query(vector.query), {}};
  for (const auto& header : vector.headers) request.headers.add(header.at(0), header.at(1));
  return request;
}

TEST(Signing, AgreesWithAmazonsTestSuite) {
  const auto vectors = read_vectors("suite.json");
  EXPECT_EQ(vectors.requests.size(), 30U);
  for (const auto& vector : vectors.requests) {
    Request request = request_of(vector);
    request.headers.add("X-Amz-Date", "20150830T123600Z");
    const std::string hash = payload_hash(as_bytes(vector.body));
    if (vector.payload_header) request.headers.add("x-amz-content-sha256", hash);
    if (!vector.session_token.empty()) request.headers.add("X-Amz-Security-Token", vector.session_token);
    const Credentials credentials{vectors.access_key_id, vectors.secret_access_key, vector.session_token, {}};
    EXPECT_THAT(authorization(request, hash, credentials, {vectors.region, vectors.service}, vectors.time),
                EndsWith("Signature=" + vector.signature))
        << vector.name;
  }
}

TEST(Signing, AgreesWithTheExamplesOfTheS3Reference) {
  const auto vectors = read_vectors("s3.json");
  EXPECT_EQ(vectors.requests.size(), 4U);
  for (const auto& vector : vectors.requests) {
    const auto headers =
        sign(request_of(vector), payload_hash(as_bytes(vector.body)),
             {vectors.access_key_id, vectors.secret_access_key, {}, {}}, {vectors.region}, vectors.time);
    EXPECT_THAT(*headers.find("authorization"), EndsWith("Signature=" + vector.signature)) << vector.name;
  }
}

TEST(Signing, SaysWhichHeadersItCovers) {
  const Request request{"PUT", "/b/k", {}, {{"Host", "localhost:9000"}, {"x-amz-meta-Color", "red"}}};
  const auto headers = sign(request, kUnsignedPayload, {"ID", "secret", "token", {}}, {"eu-west-1"}, Timestamp{});
  EXPECT_EQ(*headers.find("x-amz-date"), "19700101T000000Z");
  EXPECT_EQ(*headers.find("x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
  EXPECT_EQ(*headers.find("x-amz-security-token"), "token");
  EXPECT_THAT(*headers.find("authorization"),
              HasSubstr("AWS4-HMAC-SHA256 Credential=ID/19700101/eu-west-1/s3/aws4_request, SignedHeaders="
                        "host;x-amz-content-sha256;x-amz-date;x-amz-meta-color;x-amz-security-token, Signature="));
}

TEST(Signing, SendsNoSessionTokenForKeysWithoutOne) {
  const auto headers = sign({"GET", "/", {}, {{"host", "h"}}}, kUnsignedPayload, {"ID", "secret", "", {}}, {"r"}, {});
  EXPECT_EQ(headers.find("x-amz-security-token"), nullptr);
}

TEST(Signing, NeverShowsTheSecretKey) {
  const auto headers = sign({"GET", "/", {}, {{"host", "h"}}}, kUnsignedPayload, {"ID", "hush", "", {}}, {"r"}, {});
  for (const auto& [name, value] : headers) EXPECT_THAT(value, Not(HasSubstr("hush"))) << name;
}

TEST(EncodePath, EncodesEveryByteOnceButTheUnreservedAndSlashes) {
  std::string all;
  for (int code = 0; code < 256; ++code) all.push_back(static_cast<char>(code));
  const std::string encoded = encode_path(all);
  EXPECT_EQ(http::percent_decode(encoded), all);
  // Unreserved: 66 bytes; with '/' 67 stay as they are.
  EXPECT_EQ(encoded.size(), 67U + 3U * (256U - 67U));
  EXPECT_EQ(encode_path("/b/a b+c%2F:@!$&'()*,;=?#\n\xff~"),
            "/b/a%20b%2Bc%252F%3A%40%21%24%26%27%28%29%2A%2C%3B%3D%3F%23%0A%FF~");
}

TEST(EncodePath, NormalisesNothing) {
  for (const std::string path : {"", "/", "//", "/a//b/", "/./a/../b", "a/"}) EXPECT_EQ(encode_path(path), path);
}

RC_GTEST_PROP(EncodePath, ComesBackDecoded, (const std::string& path)) {
  RC_ASSERT(http::percent_decode(encode_path(path)) == path);
}

TEST(EncodeQuery, SortsByNameThenValueAsEncoded) {
  EXPECT_EQ(encode_query({{"b", "2"}, {"a-", "x"}, {"a", "z"}, {"a", "y"}, {"\xe1", ""}, {"uploads", ""}}),
            "%E1=&a=y&a=z&a-=x&b=2&uploads=");
  EXPECT_EQ(encode_query({{"prefix", "a b/+&="}}), "prefix=a%20b%2F%2B%26%3D");
  EXPECT_EQ(encode_query({}), "");
}

}  // namespace
}  // namespace cherax::storage::s3
