#include "repository/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "repository/testing.h"

namespace cherax::repository {
namespace {

using testing::error_message;
using ::testing::HasSubstr;
using testing::kind_of_error;

constexpr std::string_view kDigest = "2bdddec195211d033a2ff216b561f9bd3f5d052590eb51cf22657070396a5396";

class ManifestTest : public ::testing::Test {
 protected:
  SpooledManifest spool(std::string_view text) {
    File file = File::temporary(directory_.path());
    file.write(as_bytes(text));
    return {std::move(file), "json/backup-1 in storage x"};
  }
  /// A manifest with these members beside the required ones.
  SpooledManifest with(std::string_view members, std::string_view snapshot_results = "[]") {
    return spool(fmt::format(
        R"({{"start":"2026-11-24T00:10:29.028440Z","end":"2026-11-24T00:10:30Z","attempt":2,"plugin":"files",)"
        R"("snapshot_results":{},"upload_results":[]{}{}}})",
        snapshot_results, members.empty() ? "" : ",", members));
  }
  SpooledManifest with_file(std::string_view file) {
    return with("", fmt::format(R"([{{"state":{{"root_globs":["**"],"files":[{}]}},"hashes":null}}])", file));
  }
  static std::vector<api::SnapshotFile> files(const SpooledManifest& manifest) {
    std::vector<api::SnapshotFile> files;
    manifest.read({.file = [&](std::size_t, const api::SnapshotFile& file) { files.push_back(file); }, .hash = {}});
    return files;
  }

  storage::TemporaryDirectory directory_;
};

TEST_F(ManifestTest, GivesItsSmallPartsAndStreamsTheRest) {
  const auto manifest = spool(fmt::format(
      R"({{"start":"2026-11-24T00:10:29.028440Z","end":"2026-11-24T00:10:30Z","attempt":2,"plugin":"cassandra",
      "snapshot_results":[
        {{"hostname":"a","az":"z1","progress":{{"final":true}},"start":"2026-11-24T00:10:29Z","end":null,"files":2,
          "total_size":211,"hashes":[{{"hexdigest":"{0}","size":201}}],
          "state":{{"root_globs":["x/*","y"],"files":[
            {{"relative_path":"f","file_size":201,"mtime_ns":-5,"hexdigest":"{0}"}},
            {{"relative_path":"g","file_size":3,"mtime_ns":7,"content_b64":"YWJj"}}]}}}},
        {{"hostname":"b","state":{{"root_globs":["**"]}},"hashes":null}},
        {{"hostname":"c","state":{{"files":[{{"relative_path":"e","file_size":0,"mtime_ns":0,"content_b64":""}}]}}}}],
      "upload_results":[{{"hostname":"a","total_size":201,"total_stored_size":99}}],
      "plugin_data":{{"cassandra_schema":{{"keyspaces":[]}}}},"filename":"",
      "tiered_storage_results":{{"n_objects":4,"total_size_bytes":5}},"new_in_9":[1,2]}})",
      kDigest));
  std::vector<std::string> seen;
  const auto small =
      manifest.read({.file =
                         [&](std::size_t node, const api::SnapshotFile& file) {
                           seen.push_back(fmt::format("{} {} {}", node, file.relative_path, file.mtime_ns));
                         },
                     .hash =
                         [&](std::size_t node, const api::SnapshotHash& hash) {
                           seen.push_back(fmt::format("{} {} {}", node, hash.hexdigest.hex(), hash.size));
                         }});
  EXPECT_THAT(seen, ::testing::UnorderedElementsAre(fmt::format("0 {} 201", kDigest), "0 f -5", "0 g 7", "2 e 0"));
  EXPECT_EQ(format_rfc3339(small.start), "2026-11-24T00:10:29.028440Z");
  EXPECT_EQ(small.attempt, 2);
  EXPECT_EQ(small.plugin, "cassandra");
  ASSERT_EQ(small.snapshot_results.size(), 3U);
  EXPECT_EQ(small.snapshot_results[0].hostname, "a");
  EXPECT_EQ(small.snapshot_results[0].files, 2);
  EXPECT_EQ(small.snapshot_results[0].state->root_globs, (std::vector<std::string>{"x/*", "y"}));
  EXPECT_EQ(small.upload_results.at(0).total_stored_size, 99);
  EXPECT_TRUE(small.plugin_data.at("cassandra_schema").is_object());
  EXPECT_EQ(small.tiered_storage_results->total_size_bytes, 5);
  EXPECT_EQ(manifest.read().snapshot_results.size(), 3U) << "may be read again";
}

TEST_F(ManifestTest, RefusesWhatIsNoManifest) {
  for (const std::string_view text :
       {"", "{", "[]", "null", "{}", R"({"start":"2026-11-24T00:10:29Z"} x)", "\xff\xfe", "{\"a\":\"\xff\"}"}) {
    EXPECT_EQ(kind_of_error([&] { spool(text).read(); }), ErrorKind::corrupt) << text;
  }
  EXPECT_EQ(kind_of_error([&] { spool(std::string(1000, '[')).read(); }), ErrorKind::corrupt);
  EXPECT_THAT(error_message([&] { with(R"("plugin":5)").read(); }),
              ::testing::StartsWith("json/backup-1 in storage x: "));
}

TEST_F(ManifestTest, IsStrictAboutTypes) {
  for (const std::string_view member :
       {R"("attempt":"1")", R"("attempt":1.5)", R"("start":"yesterday")", R"("snapshot_results":{})",
        R"("snapshot_results":[5])", R"("upload_results":[{"total_size":"5"}])", R"("filename":[])",
        R"("snapshot_results":[{"files":-1e99}])"}) {
    EXPECT_EQ(kind_of_error([&] { with(member).read(); }), ErrorKind::corrupt) << member;
  }
}

TEST_F(ManifestTest, RefusesAFileThatCannotBe) {
  for (const std::string_view file :
       {R"({"relative_path":"f","file_size":1,"mtime_ns":0})",                                // neither
        R"({"relative_path":"f","file_size":1,"mtime_ns":0,"hexdigest":"ab"})",               // no digest
        R"({"relative_path":"f","file_size":2,"mtime_ns":0,"content_b64":"YQ=="})",           // size
        R"({"relative_path":"f","file_size":1,"mtime_ns":0,"content_b64":"YQ"})",             // padding
        R"({"relative_path":"f","file_size":-1,"mtime_ns":0,"content_b64":""})",              //
        R"({"relative_path":5,"file_size":0,"mtime_ns":0,"content_b64":""})",                 //
        R"({"file_size":0,"mtime_ns":0,"content_b64":""})", R"("f")", R"(null)", R"([])"}) {  //
    const auto manifest = with_file(file);
    EXPECT_EQ(kind_of_error([&] { files(manifest); }), ErrorKind::corrupt) << file;
    EXPECT_THAT(error_message([&] { files(manifest); }), HasSubstr("snapshot_results[0], entry 0")) << file;
  }
  const auto both = with_file(
      fmt::format(R"({{"relative_path":"f","file_size":0,"mtime_ns":0,"content_b64":"","hexdigest":"{}"}})", kDigest));
  EXPECT_EQ(kind_of_error([&] { files(both); }), ErrorKind::corrupt);
}

TEST_F(ManifestTest, LeavesPathsToWhoeverTouchesTheDisk) {
  const auto manifest =
      with_file(R"({"relative_path":"../../etc/passwd","file_size":0,"mtime_ns":0,"content_b64":""})");
  EXPECT_EQ(files(manifest).at(0).relative_path, "../../etc/passwd");
}

TEST_F(ManifestTest, BoundsWhatItKeepsOfHostileInput) {
  const std::string huge = "\"" + std::string(65 << 20, 'x') + "\"";
  EXPECT_EQ(kind_of_error([&] { with("\"unknown\":" + huge).read(); }), ErrorKind::corrupt);
  EXPECT_EQ(kind_of_error([&] { with_file(huge).read(); }), ErrorKind::corrupt);
}

TEST_F(ManifestTest, WhatAVisitorThrowsComesThroughAsItIs) {
  const auto manifest = with_file(R"({"relative_path":"f","file_size":0,"mtime_ns":0,"content_b64":""})");
  const auto read = [&] {
    manifest.read(
        {.file = [](std::size_t, const api::SnapshotFile&) { fail(ErrorKind::invalid, "mine"); }, .hash = {}});
  };
  EXPECT_EQ(kind_of_error(read), ErrorKind::invalid);
  EXPECT_EQ(error_message(read), "mine");
}

TEST_F(ManifestTest, ItsTextIsWhatWasSpooled) {
  const auto manifest = spool("{\"a\": 1}");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(as_text(transform::testing::drain(*manifest.text())), "{\"a\": 1}");
  EXPECT_EQ(manifest.size(), 8U);
}

}  // namespace
}  // namespace cherax::repository
