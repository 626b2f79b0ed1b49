#include "storage/s3/listing.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "http/url.h"
#include "storage/s3/xml.h"

namespace cherax::storage::s3 {
namespace {

TEST(ListPage, ReadsWhatS3Sends) {
  const auto page = parse_list_page(R"(<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name><Prefix>p/</Prefix>
<NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=</NextContinuationToken><KeyCount>2</KeyCount>
<MaxKeys>2</MaxKeys><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
<Contents><Key>p/json/backup-2026-11-23T22%3A40%3A25%2B00%3A00</Key><LastModified>2026-11-23T22:40:30.000Z</LastModified>
<ETag>&quot;70ee1738b6b21e2c8a43f3a5ab0eee71&quot;</ETag><Size>434234</Size><StorageClass>GLACIER</StorageClass></Contents>
<Contents><Key>p/a+b%25%E2%82%AC</Key><LastModified>2009-10-12T17:50:30Z</LastModified><Size>0</Size></Contents>
</ListBucketResult>)")
                        .value();
  ASSERT_EQ(page.objects.size(), 2U);
  EXPECT_EQ(page.objects[0].key, "p/json/backup-2026-11-23T22:40:25+00:00");
  EXPECT_EQ(page.objects[0].size, 434234U);
  EXPECT_EQ(format_rfc3339(page.objects[0].modified), "2026-11-23T22:40:30Z");
  EXPECT_EQ(page.objects[0].storage_class, "GLACIER");
  EXPECT_EQ(page.objects[1].key, "p/a b%\u20ac");
  EXPECT_EQ(page.objects[1].size, 0U);
  EXPECT_EQ(page.objects[1].storage_class, "");
  EXPECT_EQ(page.continuation_token, "1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=");
}

std::string page_of(const std::string& inside) { return "<ListBucketResult>" + inside + "</ListBucketResult>"; }
const std::string kLast = "<IsTruncated>false</IsTruncated>";
const std::string kRest = "<LastModified>2009-10-12T17:50:30.000Z</LastModified><Size>1</Size>";

TEST(ListPage, TakesKeysAsTheyAreFromAServerThatDoesNotEncodeThem) {
  const auto page = parse_list_page(page_of(kLast + "<Contents><Key>a+b%41&amp;</Key>" + kRest + "</Contents>"));
  EXPECT_EQ(page.value().objects.at(0).key, "a+b%41&");
}

TEST(ListPage, EndsWithoutAToken) {
  EXPECT_EQ(parse_list_page(page_of(kLast)).value().continuation_token, std::nullopt);
  EXPECT_EQ(
      parse_list_page(page_of(kLast + "<NextContinuationToken>x</NextContinuationToken>")).value().continuation_token,
      std::nullopt);
}

TEST(ListPage, RefusesToTakeAPartForAll) {
  for (const std::string& text : {
           page_of(""),
           page_of("<IsTruncated>maybe</IsTruncated>"),
           page_of("<IsTruncated>true</IsTruncated>"),
           page_of("<IsTruncated>true</IsTruncated><NextMarker>a</NextMarker>"),  // what answers the older ListObjects
           page_of("<IsTruncated>true</IsTruncated><NextContinuationToken/>"),
           std::string{"<ListBucketResult><IsTruncated>false</IsTruncated>"},
           std::string{"<html/>"},
           std::string{},
       }) {
    const auto page = parse_list_page(text);
    ASSERT_FALSE(page) << text;
    EXPECT_EQ(page.error().kind(), ErrorKind::corrupt) << text;
  }
}

TEST(ListPage, RefusesEntriesThatLackSomething) {
  for (const std::string entry : {
           "",
           "<Key></Key><LastModified>2009-10-12T17:50:30.000Z</LastModified><Size>1</Size>",
           "<Key>a</Key><LastModified>2009-10-12T17:50:30.000Z</LastModified>",
           "<Key>a</Key><LastModified>2009-10-12T17:50:30.000Z</LastModified><Size>-1</Size>",
           "<Key>a</Key><LastModified>yesterday</LastModified><Size>1</Size>",
           "<Key>a</Key><Size>1</Size>",
       }) {
    const auto page = parse_list_page(page_of(fmt::format("{}<Contents>{}</Contents>", kLast, entry)));
    ASSERT_FALSE(page) << entry;
    EXPECT_EQ(page.error().kind(), ErrorKind::corrupt) << entry;
  }
}

TEST(ListPage, RefusesKeysThatAreNotEncodedAsItSays) {
  for (const std::string key : {"%", "%4", "a%zz", "%%41"}) {
    EXPECT_FALSE(parse_list_page(page_of(
        fmt::format("{}<EncodingType>url</EncodingType><Contents><Key>{}</Key>{}</Contents>", kLast, key, kRest))))
        << key;
  }
  EXPECT_FALSE(parse_list_page(page_of(kLast + "<EncodingType>base64</EncodingType>")));
}

TEST(ListPage, TellsTheErrorThatStandsInItsPlace) {
  EXPECT_EQ(parse_list_page("<Error><Code>InternalError</Code></Error>").error().kind(), ErrorKind::transient);
}

RC_GTEST_PROP(ListPage, GivesBackEveryKey, ()) {
  const auto keys = *rc::gen::container<std::vector<std::string>>(rc::gen::nonEmpty<std::string>());
  std::string inside = kLast + "<EncodingType>url</EncodingType>";
  for (const std::string& key : keys) {
    inside.append("<Contents><Key>")
        .append(http::percent_encode(key))
        .append("</Key>")
        .append(kRest)
        .append("</Contents>");
  }
  const auto page = parse_list_page(page_of(inside)).value();
  RC_ASSERT(page.objects.size() == keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) RC_ASSERT(page.objects[i].key == keys[i]);
}

TEST(ListPage, HoldsAThousandOfTheLongestKeys) {
  std::string inside = kLast + "<EncodingType>url</EncodingType>";
  for (int i = 0; i < 1000; ++i) {
    inside.append("<Contents><Key>")
        .append(http::percent_encode(std::string(1024, '\x01')))
        .append("</Key>")
        .append(kRest);
    inside.append("<ETag>&quot;70ee1738b6b21e2c8a43f3a5ab0eee71-10000&quot;</ETag>");
    inside.append("<ChecksumAlgorithm>CRC32C</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>");
    inside.append("<StorageClass>INTELLIGENT_TIERING</StorageClass></Contents>");
  }
  EXPECT_EQ(parse_list_page(page_of(inside)).value().objects.size(), 1000U);
}

}  // namespace
}  // namespace cherax::storage::s3
