#include "storage/s3/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace cherax::storage::s3 {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

template <class T>
concept Streamable = requires(std::ostream& stream, const T& value) { stream << value; };

TEST(Credentials, CannotBePrinted) {
  static_assert(!Streamable<Credentials>);
  static_assert(!fmt::is_formattable<Credentials>::value);
}

const Timestamp kNow = parse_rfc3339("2026-11-27T12:00:00Z").value();

Credentials expiring_in(Timestamp::duration left) { return {"ID", "secret", "token", kNow + left}; }

TEST(RefreshDecision, LeavesKeysThatDoNotExpire) {
  EXPECT_EQ(refresh_decision({"ID", "secret", "", {}}, Timestamp{}, kNow), Refresh::not_needed);
}

TEST(RefreshDecision, WantsNewOnesInTheLastQuarterOfAnHour) {
  EXPECT_EQ(refresh_decision(expiring_in(minutes{16}), kNow - minutes{50}, kNow), Refresh::not_needed);
  EXPECT_EQ(refresh_decision(expiring_in(minutes{15}), kNow - minutes{50}, kNow), Refresh::wanted);
  EXPECT_EQ(refresh_decision(expiring_in(seconds{61}), kNow - minutes{50}, kNow), Refresh::wanted);
}

TEST(RefreshDecision, AsksOnceAMinute) {
  EXPECT_EQ(refresh_decision(expiring_in(minutes{10}), kNow - seconds{59}, kNow), Refresh::not_needed);
  EXPECT_EQ(refresh_decision(expiring_in(minutes{10}), kNow - seconds{60}, kNow), Refresh::wanted);
}

TEST(RefreshDecision, RequiresThemInTheLastMinuteAndAfter) {
  for (const auto left : {seconds{60}, seconds{0}, seconds{-3600}}) {
    EXPECT_EQ(refresh_decision(expiring_in(left), kNow, kNow), Refresh::required) << left.count();
  }
}

TEST(ProcessOutput, IsRead) {
  const auto credentials = parse_process_output(
      R"({"Version": 1, "AccessKeyId": "ASIA", "SecretAccessKey": "hush", "SessionToken": "t",
          "Expiration": "2026-11-27T13:00:00+01:00", "More": [1]})");
  EXPECT_EQ(credentials.value().access_key_id, "ASIA");
  EXPECT_EQ(credentials.value().secret_access_key, "hush");
  EXPECT_EQ(credentials.value().session_token, "t");
  EXPECT_EQ(credentials.value().expires, kNow);
}

TEST(ProcessOutput, WithoutExpiryLivesLong) {
  for (const std::string_view expiry : {"", R"(, "Expiration": null)"}) {
    const auto credentials = parse_process_output(
        fmt::format(R"({{"Version": 1, "AccessKeyId": "AKIA", "SecretAccessKey": "hush"{}}})", expiry));
    EXPECT_EQ(credentials.value().expires, std::nullopt);
    EXPECT_EQ(credentials.value().session_token, "");
  }
}

constexpr std::string_view kMetadata =
    R"({"Code": "Success", "LastUpdated": "2026-11-27T06:00:00Z", "Type": "AWS-HMAC", "AccessKeyId": "ASIA",
        "SecretAccessKey": "hush", "Token": "t", "Expiration": "2026-11-27T12:00:00Z"})";
constexpr std::string_view kAssumed =
    R"(<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser>
<AssumedRoleId>ARO123EXAMPLE123:s</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/demo/s</Arn></AssumedRoleUser>
<Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>hush</SecretAccessKey><SessionToken>t</SessionToken>
<Expiration>2026-11-27T12:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>)";

std::string replaced(std::string_view text, const std::string& from, const std::string& to) {
  std::string result{text};
  for (auto at = result.find(from); at != std::string::npos; at = result.find(from, at + to.size())) {
    result.replace(at, from.size(), to);
  }
  return result;
}

void expect_read(const Result<Credentials>& credentials) {
  EXPECT_EQ(credentials.value().access_key_id, "ASIA");
  EXPECT_EQ(credentials.value().secret_access_key, "hush");
  EXPECT_EQ(credentials.value().session_token, "t");
  EXPECT_EQ(credentials.value().expires, kNow);
}

TEST(MetadataAnswer, IsReadFromAMachineAndFromAContainer) {
  expect_read(parse_metadata_answer(kMetadata));
  expect_read(
      parse_metadata_answer(replaced(kMetadata, R"("Code": "Success", )", R"("RoleArn": "arn:aws:iam::1:role/r", )")));
}

TEST(MetadataAnswer, MaySayThatThereAreNone) {
  for (const std::string_view text :
       {R"({"Code": "AssumeRoleUnauthorizedAccess", "Message": "EC2 cannot assume the role hush"})",
        R"({"code": "NoIdInRequest", "message": "hush"})"}) {
    const auto credentials = parse_metadata_answer(text);
    ASSERT_FALSE(credentials);
    EXPECT_EQ(credentials.error().kind(), ErrorKind::denied);
    EXPECT_THAT(credentials.error().message(), Not(HasSubstr("hush")));
  }
  EXPECT_THAT(parse_metadata_answer(R"({"Code": "AssumeRoleUnauthorizedAccess"})").error().message(),
              HasSubstr("AssumeRoleUnauthorizedAccess"));
  EXPECT_THAT(parse_metadata_answer("{\"Code\": \"\\u001b[31m\"}").error().message(), Not(HasSubstr("\x1b")));
}

TEST(AssumedRole, IsReadOfBothActions) {
  expect_read(parse_assumed_role(kAssumed));
  expect_read(parse_assumed_role(replaced(kAssumed, "AssumeRoleRe", "AssumeRoleWithWebIdentityRe")));
}

/// What is missing or cut is corrupt, whoever answers, and the secret is in no message.
void expect_refused(const std::function<Result<Credentials>(std::string_view)>& parse, std::string_view good) {
  const std::string good_text{good};
  std::vector<std::string> bad{"",
                               "[]",
                               "null",
                               "<html/>",
                               "hush",
                               good_text + good_text,
                               replaced(good, "AccessKeyId", "X"),
                               replaced(good, "SecretAccessKey", "X"),
                               replaced(good, "2026-11-27T12:00:00Z", "soon"),
                               std::string(5 * 1024 * 1024, ' ')};
  for (std::size_t size = 0; size < good.size(); size += 7) bad.push_back(good_text.substr(0, size));
  for (const std::string& text : bad) {
    const auto credentials = parse(text);
    ASSERT_FALSE(credentials) << text;
    EXPECT_EQ(credentials.error().kind(), ErrorKind::corrupt) << text;
    EXPECT_THAT(credentials.error().message(), Not(HasSubstr("hush")));
  }
}

TEST(CredentialAnswers, AreRefusedWhenSomethingIsMissing) {
  expect_refused(
      parse_process_output,
      R"({"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "hush", "Expiration": "2026-11-27T12:00:00Z"})");
  expect_refused(parse_metadata_answer, kMetadata);
  expect_refused(parse_assumed_role, kAssumed);
  EXPECT_FALSE(parse_process_output(R"({"AccessKeyId": "A", "SecretAccessKey": "hush"})"));
  EXPECT_FALSE(parse_process_output(R"({"Version": 2, "AccessKeyId": "A", "SecretAccessKey": "hush"})"));
  EXPECT_FALSE(
      parse_process_output(R"({"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "hush", "Expiration": 5})"));
  EXPECT_FALSE(parse_metadata_answer(R"({"Code": "Success", "AccessKeyId": "A", "SecretAccessKey": "hush"})"));
}

}  // namespace
}  // namespace cherax::storage::s3
