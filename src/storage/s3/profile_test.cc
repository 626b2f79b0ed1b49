#include "storage/s3/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cherax::storage::s3 {
namespace {

using testing::HasSubstr;
using testing::Not;
using Source = Identity::Source;

TEST(Profiles, AreNamedDifferentlyInTheTwoFiles) {
  const auto profiles = parse_profiles(R"(
[default]
region = eu-north-1
[profile work]
region=eu-west-1
[profile "two words"]
region = a
[profile	'quoted']
region = b
[profile two words]
region = c
[plain]
region = d
[profiles]
region = e
[sso-session x]
sso_region = f
)",
                                       R"(
[default]
aws_access_key_id = AKIA1
aws_secret_access_key = hush
[profile work]
region = g
[plain]
region = h
)")
                            .value();
  EXPECT_EQ(profiles.size(), 6U);
  EXPECT_EQ(profiles.at("default").region, "eu-north-1");
  EXPECT_EQ(profiles.at("default").keys.access_key_id, "AKIA1");
  EXPECT_EQ(profiles.at("work").region, "eu-west-1");
  EXPECT_EQ(profiles.at("two words").region, "a");
  EXPECT_EQ(profiles.at("quoted").region, "b");
  EXPECT_EQ(profiles.at("plain").region, "h");
  EXPECT_EQ(profiles.at("profile work").region, "g");
}

TEST(Profiles, AreReadAsTheCliDoes) {
  const auto profile = parse_profiles(
                           "# comment\r\n; comment\r\n[default] trailing\r\n"
                           "  AWS_Access_Key_Id: AKIA=1:2 # no comment\r\n"
                           "  aws_secret_access_key\t=\t a/b+c==\r\n"
                           "\r\n"
                           "  s3 =\r\n"
                           "    region = nested\r\n"
                           "    aws_session_token = nested\r\n"
                           "  # comment\r\n"
                           "  unknown = x\r\n"
                           "  region =\r\n"
                           "  region = first\r\n"
                           "  region = last",
                           "")
                           .value()
                           .at("default");
  EXPECT_EQ(profile.keys.access_key_id, "AKIA=1:2 # no comment");
  EXPECT_EQ(profile.keys.secret_access_key, "a/b+c==");
  EXPECT_EQ(profile.keys.session_token, "");
  EXPECT_EQ(profile.region, "last");
}

TEST(Profiles, TheCredentialsFileIsRight) {
  const auto profile = parse_profiles(
                           "[default]\nregion = r\naws_access_key_id = OLD\naws_secret_access_key = old\n"
                           "aws_session_token = old\nrole_arn = a",
                           "[default]\naws_access_key_id = NEW\naws_secret_access_key = new\nrole_arn = b")
                           .value()
                           .at("default");
  EXPECT_EQ(profile.region, "r");
  EXPECT_EQ(profile.role_arn, "b");
  EXPECT_EQ(profile.keys.access_key_id, "NEW");
  EXPECT_EQ(profile.keys.secret_access_key, "new");
  EXPECT_EQ(profile.keys.session_token, "") << "the other file's token belongs to the other file's keys";
}

TEST(Profiles, NameTheLineThatIsWrongAndDoNotShowIt) {
  const auto expect_wrong = [](const Result<Profiles>& profiles, const std::string& where) {
    ASSERT_FALSE(profiles);
    EXPECT_EQ(profiles.error().kind(), ErrorKind::invalid);
    EXPECT_THAT(profiles.error().message(), HasSubstr(where));
    EXPECT_THAT(profiles.error().message(), Not(HasSubstr("hush")));
  };
  expect_wrong(parse_profiles("", "[default]\n\nhush\n"), "credentials file: line 3 ");
  expect_wrong(parse_profiles("aws_secret_access_key = hush", ""), "config file: line 1 ");
  expect_wrong(parse_profiles("[default]\n= hush", ""), "config file: line 2 ");
  expect_wrong(parse_profiles("[default]\n[]\n", ""), "config file: line 2 ");
  expect_wrong(parse_profiles("[default\nregion = hush", ""), "config file: line 1 ");
}

TEST(Profiles, MayBeNone) {
  EXPECT_TRUE(parse_profiles("", "").value().empty());
  EXPECT_TRUE(parse_profiles("\n\n # x", "\r\n").value().empty());
  EXPECT_EQ(parse_profiles("[default]", "[default]\n[other]").value().size(), 2U);
}

Result<Identity> identity(std::string_view config, const std::string& name = "default") {
  return identity_of(parse_profiles(config, "").value(), name);
}

constexpr std::string_view kKeys = "aws_access_key_id = AKIA\naws_secret_access_key = hush\n";

TEST(IdentityOf, AProfileWithKeysOrAProcess) {
  const auto keys = identity(fmt::format("[default]\n{}credential_process = x", kKeys)).value();
  EXPECT_EQ(keys.source, Source::keys);
  EXPECT_EQ(keys.keys.access_key_id, "AKIA");
  EXPECT_TRUE(keys.roles.empty());
  const auto process = identity("[default]\ncredential_process = /bin/x \"a b\"").value();
  EXPECT_EQ(process.source, Source::process);
  EXPECT_EQ(process.process, "/bin/x \"a b\"");
}

TEST(IdentityOf, AProfileWithARoleOnTopOfAnothers) {
  const auto chained = identity(fmt::format(R"([default]
role_arn = arn:3
role_session_name = s
source_profile = middle
[profile middle]
role_arn = arn:2
external_id = e
source_profile = base
[profile base]
{})",
                                            kKeys))
                           .value();
  EXPECT_EQ(chained.source, Source::keys);
  EXPECT_EQ(chained.roles, (std::vector<Role>{{"arn:2", "", "e"}, {"arn:3", "s", ""}}));
}

TEST(IdentityOf, AProfileWithARoleOnTopOfTheMachines) {
  const auto source_of = [](std::string_view source) {
    return identity(fmt::format("[default]\nrole_arn = arn:1\ncredential_source = {}", source));
  };
  EXPECT_EQ(source_of("Environment").value().source, Source::environment);
  EXPECT_EQ(source_of("EcsContainer").value().source, Source::container);
  EXPECT_EQ(source_of("Ec2InstanceMetadata").value().source, Source::instance);
  EXPECT_EQ(source_of("Ec2InstanceMetadata").value().roles, (std::vector<Role>{{"arn:1", "", ""}}));
  EXPECT_FALSE(source_of("Elsewhere"));
}

TEST(IdentityOf, AProfileWithWebIdentity) {
  const auto web = identity(fmt::format("[default]\n{}role_arn = arn:1\nweb_identity_token_file = /t", kKeys)).value();
  EXPECT_EQ(web.source, Source::web_identity);
  EXPECT_EQ(web.token_file, "/t");
  EXPECT_EQ(web.roles, (std::vector<Role>{{"arn:1", "", ""}}));
}

TEST(IdentityOf, AProfileThatAssumesARoleWithItsOwnKeys) {
  const auto own = identity(fmt::format("[default]\n{}role_arn = arn:1\nsource_profile = default", kKeys)).value();
  EXPECT_EQ(own.source, Source::keys);
  EXPECT_EQ(own.roles, (std::vector<Role>{{"arn:1", "", ""}}));
}

TEST(IdentityOf, RefusesWhatLeadsNowhere) {
  for (const std::string config : {
           "",
           "[default]\nregion = r",
           "[default]\naws_access_key_id = AKIA",
           "[default]\naws_secret_access_key = hush",
           "[default]\nrole_arn = arn:1",
           "[default]\nrole_arn = arn:1\nsource_profile = gone",
           "[default]\nrole_arn = arn:1\nsource_profile = default",
           "[default]\nrole_arn = arn:1\nsource_profile = a\n[profile a]\nrole_arn = arn:2\nsource_profile = default",
           "[default]\nrole_arn = arn:1\nsource_profile = a\ncredential_source = Environment",
           "[default]\nweb_identity_token_file = /t",
       }) {
    const auto refused = identity(config);
    ASSERT_FALSE(refused) << config;
    EXPECT_EQ(refused.error().kind(), ErrorKind::invalid);
    EXPECT_THAT(refused.error().message(), HasSubstr("profile "));
    EXPECT_THAT(refused.error().message(), Not(HasSubstr("hush")));
  }
}

}  // namespace
}  // namespace cherax::storage::s3
