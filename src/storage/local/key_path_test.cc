#include "storage/local/key_path.h"

#include <gtest/gtest.h>

namespace cherax::storage::local {
namespace {

TEST(KeyPath, IsTheKeyBelowTheRoot) {
  EXPECT_EQ(path_of("/r", {"data/0a"}), "/r/data/0a");
  EXPECT_EQ(path_of("/r", {"json/backup-2026-11-23T22:40:25+00:00"}), "/r/json/backup-2026-11-23T22:40:25+00:00");
  EXPECT_EQ(sidecar_of("/r/data/0a"), "/r/data/0a.metadata");
}

TEST(KeyPath, RefusesKeysThatLeaveTheRootOrHide) {
  const std::string nul{"a\0b", 3};
  for (const std::string& key :
       {std::string{}, std::string{"/etc/passwd"}, std::string{"a//b"}, std::string{"a/"}, std::string{".."},
        std::string{"a/../b"}, std::string{"./a"}, std::string{"a/.b"}, std::string{"a.metadata"},
        std::string{"a.metadata/b"}, std::string{"x.metadata_tmp1"}, nul, std::string(247, 'a')}) {
    try {
      path_of("/r", {key});
      ADD_FAILURE() << key;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::invalid) << key;
    }
  }
  EXPECT_NO_THROW(path_of("/r", {std::string(246, 'a')}));
}

TEST(KeyPath, PrefixMayHaveSlashesAtItsEndsButNotLeaveTheDirectory) {
  EXPECT_EQ(root_of("/r", ""), "/r");
  EXPECT_EQ(root_of("/r", "/a/b/"), "/r/a/b");
  EXPECT_EQ(root_of("/r", "a//b"), "/r/a/b");
  EXPECT_THROW(root_of("/r", "../b"), Error);
  EXPECT_THROW(root_of("/r", "a/./b"), Error);
}

}  // namespace
}  // namespace cherax::storage::local
