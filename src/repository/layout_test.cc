#include "repository/layout.h"

#include <gtest/gtest.h>

namespace cherax::repository {
namespace {

constexpr const char* kName = "backup-2026-11-23T22:40:25+00:00";

TEST(Layout, BlobKeyIsTheDigestBelowData) {
  const auto digest = Digest::from_hex(std::string(64, 'a')).value();
  EXPECT_EQ(blob_key(digest).text, "data/" + std::string(64, 'a'));
  EXPECT_EQ(parse_blob_key(blob_key(digest)).value(), digest);
  EXPECT_FALSE(parse_blob_key({"data/" + std::string(64, 'A')}));
  EXPECT_FALSE(parse_blob_key({"data/x"}));
  EXPECT_FALSE(parse_blob_key({"json/" + std::string(64, 'a')}));
}

TEST(BackupName, IsMadeOfTheSecondTheBackupStarted) {
  const auto start = parse_rfc3339("2026-11-23T22:40:25.9Z").value();
  EXPECT_EQ(BackupName::at(start).full(), kName);
  EXPECT_EQ(BackupName::at(start).key().text, std::string{"json/"} + kName);
  EXPECT_EQ(BackupName::at(start, BackupName::Kind::delta).full(), "delta-2026-11-23T22:40:25+00:00");
}

TEST(BackupName, IsReadWithAndWithoutItsPrefix) {
  const auto name = BackupName::parse(kName).value();
  EXPECT_EQ(BackupName::parse("2026-11-23T22:40:25+00:00").value(), name);
  EXPECT_EQ(BackupName::from_key(name.key()).value(), name);
  EXPECT_EQ(name.short_name(), "2026-11-23T22:40:25+00:00");
  EXPECT_EQ(name.kind(), BackupName::Kind::backup);
  const auto delta = BackupName::parse("delta-2026-11-23T22:40:25+00:00").value();
  EXPECT_EQ(delta.kind(), BackupName::Kind::delta);
  EXPECT_EQ(delta.short_name(), "2026-11-23T22:40:25+00:00");
}

TEST(BackupName, RefusesWhatIsNone) {
  for (const std::string& text : {std::string{}, std::string{"backup-"}, std::string{"delta-"}, std::string{"a/b"},
                                  std::string{"../../etc/passwd"}, std::string{"a b"}, std::string{"a\n"},
                                  std::string{"a\0", 2}, std::string{"ä"}, std::string(151, 'a')}) {
    const auto name = BackupName::parse(text);
    ASSERT_FALSE(name) << text;
    EXPECT_EQ(name.error().kind(), ErrorKind::invalid);
  }
}

TEST(BackupName, OfAListedKeyThatNoCommandCouldNameIsOther) {
  for (const char* key : {"json/2026", "json/x", "json/backup-../../x", "json/backup-a b", "json/backup-"}) {
    const auto name = BackupName::from_key({key}).value();
    EXPECT_EQ(name.kind(), BackupName::Kind::other) << key;
    EXPECT_EQ(name.key().text, key);
    EXPECT_EQ("json/" + std::string{name.short_name()}, key);
  }
  EXPECT_FALSE(BackupName::from_key({"data/x"}));
  EXPECT_FALSE(BackupName::from_key({"json/"}));
}

}  // namespace
}  // namespace cherax::repository
