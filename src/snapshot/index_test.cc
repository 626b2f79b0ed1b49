#include "snapshot/index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "snapshot/hash.h"
#include "snapshot/sqlite.h"
#include "snapshot/testing.h"

namespace cherax::snapshot {
namespace {

using ::testing::HasSubstr;

const FileStamp kStamp{5, 1'600'000'000'123'456'789, 42};
const Index::Entry kLarge{digest_of_bytes(as_bytes("large")), std::nullopt};
const Index::Entry kSmall{digest_of_bytes(as_bytes("small")),
                          Bytes{std::byte{'s'}, std::byte{'m'}, std::byte{'a'}, std::byte{'l'}, std::byte{'l'}}};

class IndexTest : public ::testing::Test {
 protected:
  std::filesystem::path file_of() const { return directory_ / "cherax_index.db"; }
  std::filesystem::path aside() const { return directory_ / "cherax_index.db.set-aside"; }

  testing::Directory directory_;
};

TEST_F(IndexTest, KnowsWhatWasRecordedAfterARestart) {
  {
    Index index{file_of()};
    index.record("a/b", kStamp, kLarge, true);
    index.record("c\xff", kStamp, kSmall, true);
    index.record("empty", kStamp, {digest_of_bytes({}), Bytes{}}, true);
  }
  Index index{file_of()};
  const auto large = index.find("a/b", kStamp, false);
  ASSERT_TRUE(large);
  EXPECT_EQ(large->digest, kLarge.digest);
  EXPECT_EQ(large->content, std::nullopt);
  const auto small = index.find("c\xff", kStamp, false);
  ASSERT_TRUE(small);
  EXPECT_EQ(small->content, kSmall.content);
  EXPECT_EQ(index.find("empty", kStamp, false)->content, Bytes{});
  EXPECT_FALSE(index.find("other", kStamp, false));
  EXPECT_EQ(index.size(), 3);
  EXPECT_FALSE(std::filesystem::exists(aside()));
}

TEST_F(IndexTest, KnowsNothingOfAFileWithAnotherStamp) {
  Index index{file_of()};
  index.record("a", kStamp, kLarge, true);
  EXPECT_TRUE(index.find("a", kStamp, false));
  EXPECT_FALSE(index.find("a", {kStamp.size + 1, kStamp.mtime_ns, kStamp.inode}, false));
  EXPECT_FALSE(index.find("a", {kStamp.size, kStamp.mtime_ns + 1, kStamp.inode}, false));
  EXPECT_FALSE(index.find("a", {kStamp.size, kStamp.mtime_ns, kStamp.inode + 1}, false));
}

TEST_F(IndexTest, BelievesAFileThatWasNotSettledOnlyWhenItIsImmutable) {
  Index index{file_of()};
  index.record("a", kStamp, kLarge, false);
  EXPECT_FALSE(index.find("a", kStamp, false));
  EXPECT_TRUE(index.find("a", kStamp, true));
  index.record("a", kStamp, kLarge, true);
  EXPECT_TRUE(index.find("a", kStamp, false));
}

TEST_F(IndexTest, Forgets) {
  Index index{file_of()};
  for (int i = 0; i < 2500; ++i) index.record(std::to_string(i), kStamp, kLarge, true);
  index.forget("7");
  EXPECT_FALSE(index.find("7", kStamp, false));
  index.forget_unless([](std::string_view path) { return path == "8" || path == "2499"; });
  EXPECT_EQ(index.size(), 2);
  EXPECT_TRUE(index.find("8", kStamp, false));
}

TEST_F(IndexTest, IsHiddenFromOtherUsers) {
  Index index{file_of()};
  index.record("a", kStamp, kSmall, true);
  index.commit();
  for (const auto& entry : std::filesystem::directory_iterator{directory_.path()}) {
    EXPECT_EQ(static_cast<unsigned>(entry.status().permissions()) & 077, 0) << entry.path();
  }
}

TEST_F(IndexTest, KeepsWhatWasCommittedWhenTheProcessIsKilled) {
  const auto child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Index index{file_of()};
    index.record("a", kStamp, kLarge, true);
    index.commit();
    index.record("b", kStamp, kLarge, true);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  Index index{file_of()};
  EXPECT_TRUE(index.find("a", kStamp, false));
  EXPECT_FALSE(index.find("b", kStamp, false));
  EXPECT_FALSE(std::filesystem::exists(aside()));
}

TEST_F(IndexTest, RefusesAFileThatAnotherProcessUses) {
  std::array<int, 2> ready{};
  std::array<int, 2> done{};
  ASSERT_EQ(::pipe(ready.data()), 0);
  ASSERT_EQ(::pipe(done.data()), 0);
  const auto child = ::fork();
  ASSERT_GE(child, 0);
  char byte = 0;
  if (child == 0) {
    ::close(done[1]);
    Index index{file_of()};
    index.record("a", kStamp, kLarge, true);
    index.commit();
    if (::write(ready[1], "x", 1) == 1 && ::read(done[0], &byte, 1) == 0) ::_exit(0);
    ::_exit(1);
  }
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  const auto error = testing::error_of([&] { Index{file_of()}; });
  EXPECT_EQ(error.kind(), ErrorKind::invalid);
  EXPECT_THAT(error.message(), HasSubstr("another process"));
  ::close(done[1]);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  for (const int descriptor : {ready[0], ready[1], done[0]}) ::close(descriptor);
}

TEST_F(IndexTest, SetsAsideWhatIsNoIndex) {
  directory_.write("cherax_index.db", std::string(10'000, 'x'));
  Index index{file_of()};
  EXPECT_EQ(index.size(), 0);
  index.record("a", kStamp, kLarge, true);
  EXPECT_TRUE(index.find("a", kStamp, false));
  EXPECT_EQ(directory_.read("cherax_index.db.set-aside"), std::string(10'000, 'x'));
}

TEST_F(IndexTest, SetsAsideTheIndexOfANewerProgram) {
  {
    Index index{file_of()};
    index.record("a", kStamp, kLarge, true);
  }
  {
    SQLite::Database database{file_of(), SQLite::OPEN_READWRITE};
    database.exec("UPDATE format SET version = 2");
  }
  {
    Index index{file_of()};
    EXPECT_EQ(index.size(), 0);
    EXPECT_TRUE(std::filesystem::exists(aside()));
    index.record("b", kStamp, kLarge, true);
  }
  Index index{file_of()};
  EXPECT_TRUE(index.find("b", kStamp, false)) << "the new one stays";
}

TEST_F(IndexTest, SetsAsideADatabaseWithOtherTables) {
  {
    SQLite::Database database{file_of(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
    database.exec("CREATE TABLE files (name TEXT)");
  }
  Index index{file_of()};
  EXPECT_EQ(index.size(), 0);
  EXPECT_TRUE(std::filesystem::exists(aside()));
}

TEST_F(IndexTest, SetsAsideDamageThatIsFoundInTheMiddleOfItsUse) {
  {
    Index index{file_of()};
    for (int i = 0; i < 5000; ++i) index.record(std::to_string(i), kStamp, kLarge, true);
  }
  {
    // All pages but the first ones are ruined: the file still opens.
    std::fstream file{file_of(), std::ios::in | std::ios::out | std::ios::binary};
    const auto size = std::filesystem::file_size(file_of());
    constexpr std::size_t kSound = 12'288;
    ASSERT_GT(size, 10 * kSound);
    file.seekp(kSound);
    file << std::string(size - kSound, '\x55');
  }
  Index index{file_of()};
  for (int i = 0; i < 5000; ++i) EXPECT_FALSE(index.find(std::to_string(i), kStamp, false));
  EXPECT_TRUE(std::filesystem::exists(aside()));
  index.record("a", kStamp, kLarge, true);
  index.commit();
  EXPECT_TRUE(index.find("a", kStamp, false));
}

TEST_F(IndexTest, DoesNotBelieveEmbeddedContentWithAFlippedBit) {
  {
    Index index{file_of()};
    index.record("a", kStamp, kSmall, true);
  }
  {
    SQLite::Database database{file_of(), SQLite::OPEN_READWRITE};
    database.exec("UPDATE files SET content = CAST('smalk' AS BLOB)");
  }
  Index index{file_of()};
  EXPECT_FALSE(index.find("a", kStamp, false));
}

}  // namespace
}  // namespace cherax::snapshot
