#include "api/messages.h"

#include <gtest/gtest.h>

namespace cherax::api {
namespace {

template <class T>
T parsed(std::string_view text) {
  return json::read<T>(json::parse(text).value()).value();
}

TEST(Messages, FillInWhatAnOldNodeLeavesOut) {
  const auto result = parsed<SnapshotSummary>(R"({"progress":{"final":true}})");
  EXPECT_TRUE(result.progress.succeeded());
  EXPECT_EQ(result.files, 0);
}

TEST(Messages, WriteAstacusShapes) {
  EXPECT_EQ(json::to_text(NodeResult{.hostname = "h", .az = ""}),
            R"({"hostname":"h","az":"","progress":{"handled":0,"failed":0,"total":0,"final":false}})");
  EXPECT_EQ(json::to_text(SnapshotFile{.relative_path = "e", .content_b64 = ""}),
            R"({"relative_path":"e","file_size":0,"mtime_ns":0,"content_b64":""})");
  EXPECT_EQ(json::to_text(SnapshotFile{.relative_path = "b", .file_size = 201, .mtime_ns = 5, .hexdigest = "ab"}),
            R"({"relative_path":"b","file_size":201,"mtime_ns":5,"hexdigest":"ab"})");
  EXPECT_EQ(json::to_text(OperationStatus{.state = OperationState::done}), R"({"state":"done"})");
}

TEST(Messages, TellAnUnlimitedEmbeddingFromTheDefault) {
  EXPECT_EQ(parsed<SnapshotGroup>(R"({"root_glob":"*"})").embedded_file_size_max, 200);
  EXPECT_EQ(parsed<SnapshotGroup>(R"({"root_glob":"*","embedded_file_size_max":null})").embedded_file_size_max,
            std::nullopt);
}

}  // namespace
}  // namespace cherax::api
