#include "storage/s3/signing.h"

#include <date/date.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <ranges>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "transform/openssl_handles.h"

namespace cherax::storage::s3 {

namespace {

using Hash = std::array<std::byte, 32>;

Hash sha256(ByteView bytes) {
  Hash hash;
  transform::require_openssl(
      EVP_Digest(bytes.data(), bytes.size(), as_unsigned(MutableByteView{hash}), nullptr, EVP_sha256(), nullptr) == 1,
      "compute a SHA-256");
  return hash;
}

Hash hmac_sha256(ByteView key, std::string_view text) {
  Hash mac;
  transform::require_openssl(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), as_unsigned(as_bytes(text)),
                                  text.size(), as_unsigned(MutableByteView{mac}), nullptr) != nullptr,
                             "compute an HMAC-SHA-256");
  return mac;
}

std::string amz_date(Timestamp time) {
  return date::format("%Y%m%dT%H%M%SZ", std::chrono::floor<std::chrono::seconds>(time));
}

/// Without white space at the ends, and with one space for each run of it.
std::string canonical_value(std::string_view value) {
  static constexpr std::string_view kSpace = " \t\r\n";
  std::string canonical;
  for (auto begin = value.find_first_not_of(kSpace); begin != std::string_view::npos;) {
    const auto end = std::min(value.find_first_of(kSpace, begin), value.size());
    if (!canonical.empty()) canonical.push_back(' ');
    canonical.append(value, begin, end - begin);
    begin = value.find_first_not_of(kSpace, end);
  }
  return canonical;
}

struct CanonicalHeaders {
  std::string lines;
  std::string names;
};

CanonicalHeaders canonical_headers(const http::Headers& headers) {
  std::vector<http::Parameter> sorted;
  for (const auto& [name, value] : headers) sorted.push_back({lower_case(name), canonical_value(value)});
  std::ranges::stable_sort(sorted, {}, &http::Parameter::name);
  CanonicalHeaders canonical;
  for (auto header = sorted.begin(); header != sorted.end();) {
    canonical.lines.append(header->name).append(":").append(header->value);
    if (!canonical.names.empty()) canonical.names.push_back(';');
    canonical.names.append(header->name);
    for (const auto first = header++; header != sorted.end() && header->name == first->name; ++header) {
      canonical.lines.append(",").append(header->value);
    }
    canonical.lines.push_back('\n');
  }
  return canonical;
}

Hash signing_key(const Credentials& credentials, const Scope& scope, std::string_view day) {
  const std::string first = "AWS4" + credentials.secret_access_key;
  Hash key = hmac_sha256(as_bytes(first), day);
  for (const std::string_view part :
       {std::string_view{scope.region}, std::string_view{scope.service}, std::string_view{"aws4_request"}}) {
    key = hmac_sha256(key, part);
  }
  return key;
}

}  // namespace

std::string encode_path(std::string_view path) {
  std::string encoded;
  for (const auto segment : std::views::split(path, '/')) {
    encoded.append(http::percent_encode({segment.begin(), segment.end()})).push_back('/');
  }
  if (!encoded.empty()) encoded.pop_back();
  return encoded;
}

std::string encode_query(const http::Parameters& query) {
  std::vector<std::pair<std::string, std::string>> encoded;
  for (const auto& [name, value] : query) encoded.emplace_back(http::percent_encode(name), http::percent_encode(value));
  std::ranges::sort(encoded);  // by the encoded name, then the encoded value: not by the joined text
  std::string text;
  for (const auto& [name, value] : encoded) {
    if (!text.empty()) text.push_back('&');
    text.append(name).append("=").append(value);
  }
  return text;
}

std::string payload_hash(ByteView body) { return to_hex(sha256(body)); }

std::string authorization(const Request& request, std::string_view payload_hash, const Credentials& credentials,
                          const Scope& scope, Timestamp now) {
  const auto headers = canonical_headers(request.headers);
  const std::string canonical = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, encode_path(request.path),
                                            encode_query(request.query), headers.lines, headers.names, payload_hash);
  const std::string time = amz_date(now);
  const std::string day = time.substr(0, 8);
  const std::string credential_scope = fmt::format("{}/{}/{}/aws4_request", day, scope.region, scope.service);
  const std::string to_sign =
      fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", time, credential_scope, to_hex(sha256(as_bytes(canonical))));
  const Hash signature = hmac_sha256(signing_key(credentials, scope, day), to_sign);
  return fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}", credentials.access_key_id,
                     credential_scope, headers.names, to_hex(signature));
}

http::Headers sign(Request request, std::string_view payload_hash, const Credentials& credentials, const Scope& scope,
                   Timestamp now) {
  request.headers.add("x-amz-date", amz_date(now));
  request.headers.add("x-amz-content-sha256", std::string{payload_hash});
  if (!credentials.session_token.empty()) request.headers.add("x-amz-security-token", credentials.session_token);
  request.headers.add("authorization", authorization(request, payload_hash, credentials, scope, now));
  return std::move(request.headers);
}

}  // namespace cherax::storage::s3
