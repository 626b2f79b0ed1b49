#include "storage/s3/credentials.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cctype>

#include "base/json.h"
#include "storage/s3/xml.h"

namespace cherax::storage::s3 {

namespace {

constexpr std::size_t kAnswerLimit = 64 * 1024;

/// The text of a member, empty when there is none or it is of another type.
std::string member_text(const json::object& answer, std::string_view name) {
  const auto* member = answer.if_contains(name);
  return member && member->is_string() ? std::string{std::string_view{member->get_string()}} : std::string{};
}

Result<json::object> parse_object(std::string_view text, std::string_view what) {
  if (text.size() > kAnswerLimit)
    return make_error(ErrorKind::corrupt, "{} is longer than {} bytes", what, kAnswerLimit);
  auto parsed = json::parse(text);
  if (!parsed || !parsed->is_object()) return make_error(ErrorKind::corrupt, "{} is no JSON object", what);
  return std::move(parsed->get_object());
}

Result<Credentials> with_keys(Credentials credentials, std::string_view what) {
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) {
    return make_error(ErrorKind::corrupt, "{} has no access key, or no secret to it", what);
  }
  return credentials;
}

Result<Credentials> with_expiry(Credentials credentials, const std::string& expires, std::string_view what) {
  const auto time = parse_rfc3339(expires);
  if (!time) return make_error(ErrorKind::corrupt, "{} has no expiry that is an RFC 3339 time", what);
  credentials.expires = *time;
  return with_keys(std::move(credentials), what);
}

bool is_name(std::string_view text) {
  return text.size() <= 100 &&
         std::ranges::all_of(text, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; });
}

}  // namespace

Refresh refresh_decision(const Credentials& credentials, Timestamp asked, Timestamp now) {
  using std::chrono::minutes;
  if (!credentials.expires) return Refresh::not_needed;
  const auto left = *credentials.expires - now;
  if (left <= minutes{1}) return Refresh::required;
  return left <= minutes{15} && now - asked >= minutes{1} ? Refresh::wanted : Refresh::not_needed;
}

Result<Credentials> parse_process_output(std::string_view text) {
  static constexpr std::string_view kWhat = "the output of the credential_process";
  const auto output = parse_object(text, kWhat);
  if (!output) return output.error();
  const auto* version = output->if_contains("Version");
  if (!version || *version != 1) return make_error(ErrorKind::corrupt, "{} is not of Version 1", kWhat);
  Credentials credentials{member_text(*output, "AccessKeyId"), member_text(*output, "SecretAccessKey"),
                          member_text(*output, "SessionToken"), std::nullopt};
  const auto* expires = output->if_contains("Expiration");
  if (!expires || expires->is_null()) return with_keys(std::move(credentials), kWhat);
  return with_expiry(std::move(credentials), member_text(*output, "Expiration"), kWhat);
}

Result<Credentials> parse_metadata_answer(std::string_view text) {
  static constexpr std::string_view kWhat = "the answer of the metadata service";
  const auto answer = parse_object(text, kWhat);
  if (!answer) return answer.error();
  // `Code` is Success, or of a role that could not be assumed; `code` is how a container's endpoint fails.
  const std::string code = member_text(*answer, answer->contains("code") ? "code" : "Code");
  if (!code.empty() && code != "Success") {
    return make_error(ErrorKind::denied, "the metadata service gives no credentials: {}",
                      is_name(code) ? code : "with a code that is none");
  }
  return with_expiry({member_text(*answer, "AccessKeyId"), member_text(*answer, "SecretAccessKey"),
                      member_text(*answer, "Token"), std::nullopt},
                     member_text(*answer, "Expiration"), kWhat);
}

Result<Credentials> parse_assumed_role(std::string_view text) {
  pugi::xml_document document;
  const auto root = parse_xml(document, text);
  if (!root) return root.error().in_context("reading the answer of STS");
  for (const char* action : {"AssumeRole", "AssumeRoleWithWebIdentity"}) {
    if (root->name() != fmt::format("{}Response", action)) continue;
    const auto node = root->child(fmt::format("{}Result", action).c_str()).child("Credentials");
    return with_expiry(
        {text_at(node, "AccessKeyId"), text_at(node, "SecretAccessKey"), text_at(node, "SessionToken"), std::nullopt},
        text_at(node, "Expiration"), "the answer of STS");
  }
  return make_error(ErrorKind::corrupt, "the answer is not of STS: is the endpoint right?");
}

}  // namespace cherax::storage::s3
