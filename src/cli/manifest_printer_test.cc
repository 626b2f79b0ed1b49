#include "cli/manifest_printer.h"

#include <gmock/gmock.h>

#include <sstream>

#include "base/json.h"
#include "transform/testing.h"

namespace cherax::cli {
namespace {

using transform::testing::ChunkedSource;
using transform::testing::Chunks;
using transform::testing::kind_of_error;

constexpr std::string_view kManifest =
    R"({"start":"2026-11-23T23:23:52Z","attempt":1,"big":18446744073709551615,"small":-1,"half":5E-1,)"
    R"("snapshot_results":[{"hostname":"n\u001b1","state":{"root_globs":["**"],"files":[)"
    R"({"relative_path":"a\"b\\c\n\u00e9","file_size":3,"more":[[1],{}]},{"relative_path":"b"}]},"hashes":[{"size":1}]},)"
    R"({"state":{"root_globs":["**"]},"hashes":[]},{"state":null,"hashes":null}],"upload_results":[],)"
    R"("plugin_data":{"files":[1,2],"hashes":{}},"good":true,"bad":false,"none":null,"empty":""})";

std::string printed(std::string_view text, const ManifestStyle& style, const Chunks& chunks = {}) {
  ChunkedSource source{as_bytes(text), chunks};
  std::ostringstream out;
  print_manifest(source, style, out);
  return out.str();
}

TEST(PrintManifest, LeavesOutFilesAndHashesButTellsTheirNumber) {
  EXPECT_EQ(printed(kManifest, {}), R"({
  "start": "2026-11-23T23:23:52Z",
  "attempt": 1,
  "big": 18446744073709551615,
  "small": -1,
  "half": 5E-1,
  "snapshot_results": [
    {
      "hostname": "n\u001b1",
      "state": {
        "root_globs": [
          "**"
        ],
        "files": "<redacted, has 2 entries>"
      },
      "hashes": "<redacted, has 1 entries>"
    },
    {
      "state": {
        "root_globs": [
          "**"
        ]
      },
      "hashes": "<redacted, has 0 entries>"
    },
    {
      "state": null,
      "hashes": null
    }
  ],
  "upload_results": [],
  "plugin_data": {
    "files": [
      1,
      2
    ],
    "hashes": {}
  },
  "good": true,
  "bad": false,
  "none": null,
  "empty": ""
}
)");
}

TEST(PrintManifest, WithFilesAndHashesIsTheSameDocument) {
  for (const auto& chunks : {Chunks{}, Chunks{1}, Chunks{7, 3}}) {
    const auto text = printed(kManifest, {.indent = 3, .files = true, .hashes = true}, chunks);
    EXPECT_EQ(json::parse(text).value(), json::parse(kManifest).value());
    EXPECT_NE(text.find("\n   \"attempt\": 1,\n"), std::string::npos) << text;
  }
}

TEST(PrintManifest, EachListIsAskedForByItself) {
  const auto with_files = printed(kManifest, {.files = true});
  EXPECT_THAT(with_files, ::testing::HasSubstr("\"relative_path\": \"b\""));
  EXPECT_THAT(with_files, ::testing::HasSubstr("\"hashes\": \"<redacted, has 1 entries>\""));
  const auto with_hashes = printed(kManifest, {.hashes = true});
  EXPECT_THAT(with_hashes, ::testing::HasSubstr("\"size\": 1"));
  EXPECT_THAT(with_hashes, ::testing::HasSubstr("\"files\": \"<redacted, has 2 entries>\""));
}

TEST(PrintManifest, BrokenJsonIsCorrupt) {
  for (const std::string_view text :
       {"", "{", "{]", R"({"a":1}x)", R"({"a":tru})", R"({"snapshot_results":[{"hashes":[)"}) {
    EXPECT_EQ(kind_of_error([&] { printed(text, {}); }), ErrorKind::corrupt) << text;
  }
  EXPECT_EQ(kind_of_error([&] { printed(std::string(100, '['), {}); }), ErrorKind::corrupt);
}

TEST(PrintManifest, StopsWhenNothingMoreCanBeWritten) {
  std::string text = "[0";
  for (int i = 1; i < 300'000; ++i) text += fmt::format(",{}", i);
  ChunkedSource source{as_bytes(text), {}};  // has no end: reading all of it would be an error
  std::ostream full{nullptr};
  EXPECT_NO_THROW(print_manifest(source, {}, full));
}

}  // namespace
}  // namespace cherax::cli
