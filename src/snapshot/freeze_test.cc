#include "snapshot/freeze.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include "snapshot/testing.h"

namespace cherax::snapshot {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Freeze : public ::testing::Test {
 protected:
  std::optional<FileStamp> link(std::string_view path) {
    const Tree tree{root_.path()};
    const auto directory = tree.open_directory(parent_of(path));
    return directory ? freezer_.link(directory.number(), path) : std::nullopt;
  }
  /// The links, by what lstat says of the files below the link directory.
  std::vector<std::string> links() const {
    std::vector<std::string> paths;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{links_}) {
      if (!entry.is_directory()) paths.push_back(entry.path().lexically_relative(links_).string());
    }
    std::ranges::sort(paths);
    return paths;
  }
  bool links_are_empty() const { return std::filesystem::is_empty(links_); }

  testing::Directory root_;
  std::filesystem::path links_ = root_.path() / ".astacus" / ".cherax-links";
  Freezer freezer_{root_.path(), root_.path() / ".astacus"};
};

TEST_F(Freeze, KeepsTheFileWhenItsNameGoes) {
  root_.write("a/b", "content");
  const auto stamp = root_.stamp("a/b");
  EXPECT_EQ(link("a/b"), stamp);
  std::filesystem::remove_all(root_ / "a");
  EXPECT_EQ(root_.read(".astacus/.cherax-links/a/b"), "content");
  EXPECT_EQ(freezer_.path_of("a/b"), links_ / "a/b");
  const auto opened = freezer_.open("a/b");
  EXPECT_EQ(stamp_of(status_of(opened.number())), stamp);
}

TEST_F(Freeze, LinkingAgainChangesNothing) {
  root_.write("a/b", "content");
  EXPECT_TRUE(link("a/b"));
  EXPECT_TRUE(link("a/b"));
  EXPECT_EQ(root_.status("a/b").st_nlink, 2);
}

TEST_F(Freeze, ReplacesTheLinkOfAnotherFile) {
  root_.write("a", "old");
  link("a");
  std::filesystem::remove(root_ / "a");
  root_.write("a", "new");
  EXPECT_EQ(link("a"), root_.stamp("a"));
  EXPECT_EQ(root_.read(".astacus/.cherax-links/a"), "new");
}

TEST_F(Freeze, SaysThatTheSourceHasVanished) {
  root_.write("a/b", "content");
  const Tree tree{root_.path()};
  const auto directory = tree.open_directory("a");
  std::filesystem::remove(root_ / "a/b");
  EXPECT_EQ(freezer_.link(directory.number(), "a/b"), std::nullopt);
  EXPECT_THAT(links(), IsEmpty());
}

TEST_F(Freeze, DoesNotLinkWhatIsNoRegularFile) {
  std::filesystem::create_symlink("/etc/passwd", root_ / "a");
  ASSERT_EQ(::mkfifo((root_ / "b").c_str(), 0600), 0);
  EXPECT_EQ(link("a"), std::nullopt);
  EXPECT_EQ(link("b"), std::nullopt);
  EXPECT_THAT(links(), IsEmpty());
}

TEST_F(Freeze, TakesADirectoryThatBecameAFile) {
  root_.write("a/b/c", "1");
  root_.write("a/d", "2");
  link("a/b/c");
  link("a/d");
  std::filesystem::remove_all(root_ / "a");
  root_.write("a", "3");
  EXPECT_TRUE(link("a"));
  EXPECT_THAT(links(), ElementsAre("a"));
}

TEST_F(Freeze, TakesAFileThatBecameADirectory) {
  root_.write("a", "1");
  link("a");
  std::filesystem::remove(root_ / "a");
  root_.write("a/b", "2");
  EXPECT_TRUE(link("a/b"));
  EXPECT_THAT(links(), ElementsAre("a/b"));
}

TEST_F(Freeze, ReleasesLinksAndTheDirectoriesThatTheyLeaveEmpty) {
  for (const auto* path : {"a/b/c", "a/b/d", "a/e"}) {
    root_.write(path, "x");
    link(path);
  }
  freezer_.release("a/b/c");
  freezer_.release("a/b/c");
  EXPECT_THAT(links(), ElementsAre("a/b/d", "a/e"));
  freezer_.release("a/b/d");
  EXPECT_FALSE(std::filesystem::exists(links_ / "a/b"));
  freezer_.release("a/e");
  EXPECT_TRUE(links_are_empty());
  EXPECT_THAT(root_.files(), ElementsAre("a/b/c", "a/b/d", "a/e"));
  EXPECT_TRUE(link("a/b/c")) << "after its directory was removed";
}

TEST_F(Freeze, ReleasesAllButWhatIsKept) {
  for (const auto* path : {"a/b/c", "a/b/d", "a/e", "f"}) {
    root_.write(path, "x");
    link(path);
  }
  freezer_.release_unless([](std::string_view path) { return path == "a/b/d"; });
  EXPECT_THAT(links(), ElementsAre("a/b/d"));
  freezer_.release_all();
  EXPECT_TRUE(links_are_empty());
  EXPECT_EQ(root_.status("a/b/d").st_nlink, 1) << "nothing may pin disk space any more";
}

TEST_F(Freeze, FollowsNoLinkInTheLinkDirectory) {
  testing::Directory other;
  other.write("b", "precious");
  std::filesystem::create_directory_symlink(other.path(), links_ / "a");
  root_.write("a/b", "x");
  EXPECT_TRUE(link("a/b"));
  EXPECT_EQ(other.read("b"), "precious");
  EXPECT_THAT(links(), ElementsAre("a/b"));
  std::filesystem::create_directory_symlink(other.path(), links_ / "c");
  freezer_.release_all();
  EXPECT_EQ(other.read("b"), "precious");
}

TEST_F(Freeze, DoesNotTakeARemovedLinkDirectoryForAnEmptyRoot) {
  root_.write("a", "x");
  std::filesystem::remove_all(links_);
  EXPECT_THROW(link("a"), Error);
}

/// Something mounted for as long as this lives; the process may not be allowed to.
struct Mounted {
  Mounted(const char* source, std::filesystem::path at, const char* type, unsigned long flags)
      : directory(std::move(at)), done(::mount(source, directory.c_str(), type, flags, nullptr) == 0) {}
  ~Mounted() {
    if (done) ::umount2(directory.c_str(), MNT_DETACH);
  }
  Mounted(const Mounted&) = delete;
  Mounted& operator=(const Mounted&) = delete;

  const std::filesystem::path directory;
  const bool done;
};

TEST(CanLink, WithinTheRootAndBesideIt) {
  const testing::Directory directory;
  std::filesystem::create_directory(directory / "root");
  for (const char* links : {"root", "root/.astacus", "root/a/b", "links", "no/directory/yet/", "none/../links"}) {
    EXPECT_TRUE(can_link(directory / "root", directory / links)) << links;
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory / "root"));
  for (const char* links : {"", ".", "not/yet", "../not/yet"}) EXPECT_TRUE(can_link(".", links)) << links;
}

TEST(CanLink, NotToAnotherFileSystem) {
  const testing::Directory root;
  const testing::Directory other{"/dev/shm"};
  ASSERT_NE(root.status(".").st_dev, other.status(".").st_dev) << "the test needs /dev/shm to be a file system";
  EXPECT_FALSE(can_link(root.path(), other.path()));
  EXPECT_FALSE(can_link(root.path(), other / "not/yet"));
  std::filesystem::create_directory_symlink(other.path(), root / "symlink");
  EXPECT_FALSE(can_link(root.path(), root / "symlink/links")) << "what is behind it is not backed up";
  EXPECT_TRUE(std::filesystem::is_empty(other.path()));
}

TEST(CanLink, SaysThatTheRootIsMissing) {
  const testing::Directory directory;
  const auto error = testing::error_of([&] { can_link(directory / "root", directory.path()); });
  EXPECT_EQ(error.kind(), ErrorKind::not_found);
  EXPECT_THAT(error.message(), HasSubstr((directory / "root").string()));
}

TEST(CanLink, NotToAnotherMountOfTheSameFileSystem) {
  const testing::Directory root;
  root.write("a", "x");
  std::filesystem::create_directory(root / ".astacus");
  const testing::Directory links;
  const Mounted mounted{links.path().c_str(), root / ".astacus", nullptr, MS_BIND};
  ASSERT_TRUE(mounted.done) << "the test needs to be root, and to mount";
  ASSERT_EQ(root.status(".").st_dev, root.status(".astacus").st_dev);
  EXPECT_EQ(::link((root / "a").c_str(), (root / ".astacus/a").c_str()), -1) << "or there was nothing to refuse";
  EXPECT_FALSE(can_link(root.path(), root / ".astacus"));
  EXPECT_FALSE(can_link(root.path(), root / ".astacus/not/yet"));
  EXPECT_THAT(testing::error_of([&] {
                Freezer{root.path(), root / ".astacus"};
              }).message(),
              HasSubstr("another mount"));
}

TEST(FreezeElsewhere, RefusesALinkDirectoryOnAnotherFileSystem) {
  const testing::Directory root;
  const testing::Directory links{"/dev/shm"};
  ASSERT_NE(root.status(".").st_dev, links.status(".").st_dev) << "the test needs /dev/shm to be a file system";
  const auto error = testing::error_of([&] { Freezer{root.path(), links.path()}; });
  EXPECT_EQ(error.kind(), ErrorKind::invalid);
  EXPECT_THAT(error.message(), HasSubstr("another file system"));
  EXPECT_THAT(error.message(), HasSubstr(links.path().string()));
}

TEST(FreezeElsewhere, RefusesAFileOnAnotherFileSystemThanTheLinks) {
  const testing::Directory root;
  const testing::Directory other{"/dev/shm"};
  other.write("a", "x");
  Freezer freezer{root.path(), root.path()};
  const Tree tree{other.path()};
  const auto directory = tree.open_directory("");
  const auto error = testing::error_of([&] { freezer.link(directory.number(), "a"); });
  EXPECT_EQ(error.kind(), ErrorKind::invalid);
  EXPECT_THAT(error.message(), HasSubstr("another file system"));
}

// A disk of its own for the data: the links have to be on it.
TEST(FreezeElsewhere, LinksMayBeInADirectoryOfTheRootThatIsMounted) {
  const testing::Directory root;
  const auto mounted = root.path() / "data";
  std::filesystem::create_directory(mounted);
  const Mounted disk{"tmpfs", mounted, "tmpfs", 0};
  ASSERT_TRUE(disk.done) << "the test needs to be root, and to mount";
  root.write("data/a", "x");
  EXPECT_TRUE(can_link(root.path(), mounted / "not/yet"));
  Freezer freezer{root.path(), mounted / ".links"};
  const Tree tree{mounted};
  const auto directory = tree.open_directory("");
  EXPECT_TRUE(freezer.link(directory.number(), "a"));
}

}  // namespace
}  // namespace cherax::snapshot
