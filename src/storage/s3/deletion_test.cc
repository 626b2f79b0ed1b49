#include "storage/s3/deletion.h"

#include <gtest/gtest.h>

namespace cherax::storage::s3 {
namespace {

TEST(DeleteObjects, NamesEachKeyAndAsksForFailuresOnly) {
  const std::vector<std::string> keys{"data/00ff", "a<b>&\"c\" \u20ac"};
  EXPECT_EQ(format_delete_objects(keys),
            R"(<?xml version="1.0"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">)"
            "<Object><Key>data/00ff</Key></Object><Object><Key>a&lt;b&gt;&amp;\"c\" \u20ac</Key></Object>"
            "<Quiet>true</Quiet></Delete>");
}

TEST(DeleteObjects, CannotNameControlCharacters) {
  EXPECT_TRUE(fits_delete_objects("json/backup-2026-11-23T22:40:25+00:00 \u20ac\x7f"));
  for (const std::string key : {"a\nb", "a\r", "\t", "\x01"}) EXPECT_FALSE(fits_delete_objects(key));
}

TEST(DeleteFailures, AreThoseThatAreStillThere) {
  const auto failures = parse_delete_failures(R"(<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
<Deleted><Key>data/1</Key></Deleted>
<Error><Key>data/2</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error>
<Error><Key>data/3</Key><Code>NoSuchKey</Code></Error>
<Error><Key>data/4</Key><Code>InternalError</Code></Error></DeleteResult>)")
                            .value();
  ASSERT_EQ(failures.size(), 2U);
  EXPECT_EQ(failures[0].key, "data/2");
  EXPECT_EQ(failures[0].error.kind(), ErrorKind::denied);
  EXPECT_EQ(failures[1].key, "data/4");
  EXPECT_EQ(failures[1].error.kind(), ErrorKind::transient);
}

TEST(DeleteFailures, MayBeNone) { EXPECT_TRUE(parse_delete_failures("<DeleteResult/>").value().empty()); }

TEST(DeleteFailures, AreRefusedWhenTheAnswerIsNotOne) {
  for (const std::string_view text : {"", "<DeleteResult>", "<html/>", "<DeleteResult><Error/></DeleteResult>"}) {
    EXPECT_EQ(parse_delete_failures(text).error().kind(), ErrorKind::corrupt) << text;
  }
  EXPECT_EQ(parse_delete_failures("<Error><Code>SlowDown</Code></Error>").error().kind(), ErrorKind::throttled);
}

}  // namespace
}  // namespace cherax::storage::s3
