#include "storage/local/sidecar.h"

#include <gtest/gtest.h>

namespace cherax::storage::local {
namespace {

TEST(Sidecar, ComesBackAsItWasWritten) {
  const Sidecar written{.metadata = {{"compression-algorithm", "zstd"}, {"odd", R"(a "quoted" \ value)"}},
                        .hash = "00ff",
                        .size = 18'446'744'073'709'551'615U};
  const auto read = parse_sidecar(format_sidecar(written)).value();
  EXPECT_EQ(read.metadata, written.metadata);
  EXPECT_EQ(read.hash, written.hash);
  EXPECT_EQ(read.size, written.size);
}

TEST(Sidecar, ReadsWhatAstacusWrites) {
  const auto read =
      parse_sidecar(R"({"encryption-key-id": "rsa3072", "compression-algorithm": "zstd", "_hash": "9e17"})").value();
  EXPECT_EQ(read.metadata, (Metadata{{"encryption-key-id", "rsa3072"}, {"compression-algorithm", "zstd"}}));
  EXPECT_EQ(read.hash, "9e17");
  EXPECT_EQ(read.size, std::nullopt);
}

TEST(Sidecar, PassesOverMembersItDoesNotKnow) {
  const auto read = parse_sidecar(R"({"number": 5, "list": [1], "_other": "x", "_hash": 7, "good": "y"})").value();
  EXPECT_EQ(read.metadata, (Metadata{{"good", "y"}}));
  EXPECT_EQ(read.hash, "");
}

TEST(Sidecar, RefusesWhatIsNoMetadata) {
  for (std::string_view text : {"", "{", "[]", "null", "\"x\"", R"({"_size": -1})", R"({"_size": "5"})",
                                R"({"_size": 1.5})", R"({"_size": 1e300})"}) {
    const auto read = parse_sidecar(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().kind(), ErrorKind::corrupt);
  }
  EXPECT_FALSE(parse_sidecar(std::string(100, '\0')));
}

}  // namespace
}  // namespace cherax::storage::local
