#include "storage/s3/multipart.h"

#include <gtest/gtest.h>

namespace cherax::storage::s3 {
namespace {

TEST(UploadId, IsReadFromTheAnswer) {
  EXPECT_EQ(parse_upload_id(R"(<?xml version="1.0" encoding="UTF-8"?>
<InitiateMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Bucket>b</Bucket><Key>k</Key>
<UploadId>VXBsb2FkIElEIGZvciA2aWWpbmcncyBteS1tb3ZpZS5tMnRzIHVwbG9hZA</UploadId></InitiateMultipartUploadResult>)")
                .value(),
            "VXBsb2FkIElEIGZvciA2aWWpbmcncyBteS1tb3ZpZS5tMnRzIHVwbG9hZA");
  EXPECT_FALSE(parse_upload_id("<InitiateMultipartUploadResult><UploadId/></InitiateMultipartUploadResult>"));
  EXPECT_FALSE(parse_upload_id("<InitiateMultipartUploadResult><UploadId>x</UploadId>"));
}

TEST(CompleteUpload, NamesEachPart) {
  const std::vector<UploadedPart> parts{{1, "\"a\"", "4waSgw=="}, {2, "\"b&c\"", ""}};
  EXPECT_EQ(format_complete_upload(parts),
            R"(<?xml version="1.0"?><CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">)"
            R"(<Part><ChecksumCRC32C>4waSgw==</ChecksumCRC32C><ETag>"a"</ETag><PartNumber>1</PartNumber></Part>)"
            R"(<Part><ETag>"b&amp;c"</ETag><PartNumber>2</PartNumber></Part></CompleteMultipartUpload>)");
}

constexpr std::string_view kCompleted =
    R"(<?xml version="1.0" encoding="UTF-8"?>
<CompleteMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Location>http://h/b/k</Location>
<Bucket>b</Bucket><Key>k</Key><ETag>&quot;3858f62230ac3c915f300c664312c11f-9&quot;</ETag>
<ChecksumCRC32C>jczp6Q==-9</ChecksumCRC32C></CompleteMultipartUploadResult>)";

TEST(CompletedUpload, IsReadAfterTheSpacesThatKeepTheConnection) {
  for (const std::string before : {"", "\n\n", "  \r\n  "}) {
    const auto completed = parse_completed_upload(before + std::string{kCompleted}).value();
    EXPECT_EQ(completed.etag, "\"3858f62230ac3c915f300c664312c11f-9\"");
    EXPECT_EQ(completed.crc32c, "jczp6Q==-9");
  }
  std::string spaced{kCompleted};
  spaced.insert(spaced.find("?>") + 2, std::string(1000, ' '));
  EXPECT_TRUE(parse_completed_upload(spaced));
}

TEST(CompletedUpload, IsUnknownWhenTheAnswerIsCut) {
  for (std::size_t size = 0; size < kCompleted.size(); ++size) {
    const auto completed = parse_completed_upload(kCompleted.substr(0, size));
    ASSERT_FALSE(completed) << size;
    EXPECT_EQ(completed.error().kind(), ErrorKind::transient) << size;
  }
  EXPECT_EQ(parse_completed_upload("   ").error().kind(), ErrorKind::transient);
}

TEST(CompletedUpload, MayBeAnError) {
  EXPECT_EQ(
      parse_completed_upload("<?xml version=\"1.0\"?>\n\n<Error><Code>InternalError</Code></Error>").error().kind(),
      ErrorKind::transient);
  EXPECT_EQ(parse_completed_upload("<Error><Code>PreconditionFailed</Code></Error>").error().kind(),
            ErrorKind::already_exists);
  EXPECT_EQ(parse_completed_upload("<Error><Code>AccessDenied</Code></Error>").error().kind(), ErrorKind::denied);
}

TEST(PendingUploads, AreReadWithWhereToGoOn) {
  const auto page = parse_pending_uploads(R"(<ListMultipartUploadsResult><Bucket>b</Bucket><KeyMarker/><UploadIdMarker/>
<NextKeyMarker>p/a%2Bb</NextKeyMarker><NextUploadIdMarker>id+2</NextUploadIdMarker><EncodingType>url</EncodingType>
<MaxUploads>2</MaxUploads><IsTruncated>true</IsTruncated>
<Upload><Key>p/a+b</Key><UploadId>id+1</UploadId><Initiated>2010-11-10T20:48:33.000Z</Initiated></Upload>
<Upload><Key>p/a%2Bb</Key><UploadId>id+2</UploadId><Initiated>2010-11-10T20:49:33.000Z</Initiated></Upload>
</ListMultipartUploadsResult>)")
                        .value();
  ASSERT_EQ(page.uploads.size(), 2U);
  EXPECT_EQ(page.uploads[0].key, "p/a b");
  EXPECT_EQ(page.uploads[0].upload_id, "id+1");
  EXPECT_EQ(format_rfc3339(page.uploads[0].initiated), "2010-11-10T20:48:33Z");
  EXPECT_EQ(page.uploads[1].key, "p/a+b");
  ASSERT_TRUE(page.next);
  EXPECT_EQ(page.next->key, "p/a+b");
  EXPECT_EQ(page.next->upload_id, "id+2");
}

TEST(PendingUploads, MayBeNone) {
  const auto page =
      parse_pending_uploads("<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>")
          .value();
  EXPECT_TRUE(page.uploads.empty());
  EXPECT_FALSE(page.next);
}

TEST(PendingUploads, AreRefusedWhenSomethingIsMissing) {
  for (const std::string inside :
       {"", "<IsTruncated>true</IsTruncated>",
        "<IsTruncated>false</IsTruncated><Upload><Key>a</Key><UploadId>1</UploadId></Upload>",
        "<IsTruncated>false</IsTruncated><Upload><Key>a</Key><Initiated>2010-11-10T20:48:33Z</Initiated></Upload>",
        "<IsTruncated>false</IsTruncated><Upload><UploadId>1</UploadId></Upload>"}) {
    const auto page = parse_pending_uploads("<ListMultipartUploadsResult>" + inside + "</ListMultipartUploadsResult>");
    ASSERT_FALSE(page) << inside;
    EXPECT_EQ(page.error().kind(), ErrorKind::corrupt);
  }
}

}  // namespace
}  // namespace cherax::storage::s3
