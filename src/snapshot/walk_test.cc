#include "snapshot/walk.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "snapshot/testing.h"

namespace cherax::snapshot {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

using Visit = std::function<void(const WalkedFile&)>;

std::vector<std::string> walked(const testing::Directory& root, std::vector<Group> groups, const Visit& visit = {}) {
  std::vector<std::string> paths;
  walk(Tree{root.path()}, GroupSet{groups}, {}, [&](const WalkedFile& file) {
    paths.emplace_back(file.path);
    if (visit) visit(file);
  });
  return paths;
}

TEST(Walk, FindsTheFilesThatAGroupMatches) {
  testing::Directory root;
  for (const auto* path : {"a.db", "a.txt", "b/a.db", "b/.c/a.db", ".d.db", "b/c/d/e.db"}) root.write(path, "x");
  EXPECT_THAT(walked(root, {{.root_glob = "**/*.db"}}), UnorderedElementsAre("a.db", "b/a.db", "b/c/d/e.db"));
  EXPECT_THAT(walked(root, {{.root_glob = "*/.*/*"}, {.root_glob = "a.*"}}),
              UnorderedElementsAre("b/.c/a.db", "a.db", "a.txt"));
  EXPECT_THAT(walked(root, {}), IsEmpty());
}

TEST(Walk, TellsTheStampAndTheRules) {
  testing::Directory root;
  root.write("b/a.db", "12345", 1'500'000'000'000'000'007);
  std::vector<Group> groups{{.root_glob = "b/*", .embedded_file_size_max = 17, .immutable = true}};
  int calls = 0;
  walked(root, groups, [&](const WalkedFile& file) {
    ++calls;
    EXPECT_EQ(file.stamp, (FileStamp{5, 1'500'000'000'000'000'007, root.status("b/a.db").st_ino}));
    EXPECT_EQ(file.rules.embedded_file_size_max, 17);
    EXPECT_TRUE(file.rules.immutable);
    EXPECT_TRUE(status_at(file.directory, "a.db"));
  });
  EXPECT_EQ(calls, 1);
}

TEST(Walk, PassesOverWhatIsNoRegularFile) {
  testing::Directory root;
  root.write("file", "x");
  root.write("elsewhere/inner", "x");
  std::filesystem::create_symlink("file", root / "link");
  std::filesystem::create_directory_symlink("elsewhere", root / "directory_link");
  ASSERT_EQ(::mkfifo((root / "pipe").c_str(), 0600), 0);
  const Descriptor socket{::socket(AF_UNIX, SOCK_STREAM, 0)};
  ::sockaddr_un address{AF_UNIX, {}};
  const auto name = (root / "socket").string();
  ASSERT_LT(name.size(), sizeof address.sun_path);
  std::ranges::copy(name, address.sun_path);
  ASSERT_EQ(::bind(socket.number(), reinterpret_cast<const ::sockaddr*>(&address), sizeof address), 0);

  EXPECT_THAT(walked(root, {{.root_glob = "**"}}), UnorderedElementsAre("file", "elsewhere/inner"));
}

TEST(Walk, PassesOverWhatCheraxKeeps) {
  testing::Directory root;
  for (const auto* path : {"a", ".astacus/a", "b/.astacus/a", ".cherax-links/a", ".cherax-00.tmp", "cherax_index.db",
                           "cherax_index.db-wal"}) {
    root.write(path, "x");
  }
  EXPECT_THAT(walked(root, {{.root_glob = "**"}, {.root_glob = ".*"}, {.root_glob = "**/.*/*"}}), ElementsAre("a"));
}

TEST(Walk, LeavesOutExcludedNames) {
  testing::Directory root;
  for (const auto* path : {"a/x", "a/y", "b/x"}) root.write(path, "x");
  std::vector<Group> groups{{.root_glob = "**", .excluded_names = {"x"}}};
  EXPECT_THAT(walked(root, groups), ElementsAre("a/y"));
  groups.push_back({.root_glob = "b/*"});
  EXPECT_THAT(walked(root, groups), UnorderedElementsAre("a/y", "b/x"));
}

TEST(Walk, RefusesGroupsThatDisagreeAboutTheLimitOfAFile) {
  testing::Directory root;
  root.write("a/x", "x");
  std::vector<Group> groups{{.root_glob = "a/*", .embedded_file_size_max = 1}, {.root_glob = "**"}};
  const auto error = testing::error_of([&] { walked(root, groups); });
  EXPECT_EQ(error.kind(), ErrorKind::invalid);
  EXPECT_THAT(error.message(), HasSubstr("a/x"));
  groups[1].excluded_names = {"x"};
  EXPECT_THAT(walked(root, groups), ElementsAre("a/x"));
}

TEST(Walk, TakesAFileForImmutableOnlyWhenAllItsGroupsDo) {
  testing::Directory root;
  root.write("x", "x");
  walked(root, {{.root_glob = "*", .immutable = true}, {.root_glob = "x"}},
         [&](const WalkedFile& file) { EXPECT_FALSE(file.rules.immutable); });
}

TEST(Walk, LeavesOutWhatVanishesMeanwhile) {
  testing::Directory root;
  for (int i = 0; i < 20; ++i) {
    root.write("f" + std::to_string(i), "x");
    root.write("d" + std::to_string(i) + "/f", "x");
  }
  const auto paths = walked(root, {{.root_glob = "**"}}, [&](const WalkedFile&) {
    for (const auto& entry : std::filesystem::directory_iterator{root.path()}) std::filesystem::remove_all(entry);
  });
  EXPECT_EQ(paths.size(), 1);
}

TEST(Walk, DoesNotFollowADirectoryThatBecomesALink) {
  testing::Directory root;
  testing::Directory other;
  other.write("secret", "x");
  for (int i = 0; i < 20; ++i) root.write("d" + std::to_string(i) + "/f", "x");
  const auto paths = walked(root, {{.root_glob = "**"}}, [&](const WalkedFile&) {
    for (const auto& entry : std::filesystem::directory_iterator{root.path()}) {
      std::filesystem::remove_all(entry);
      std::filesystem::create_directory_symlink(other.path(), entry.path());
    }
  });
  EXPECT_THAT(paths, ElementsAre(HasSubstr("/f")));
}

TEST(Walk, EntersNoDirectoryThatCannotHoldAMatch) {
  testing::Directory root;
  root.write("a/x", "x");
  // A directory too deep to enter shows whether it was entered.
  std::string path = "b";
  for (std::size_t i = 0; i < kDeepestDirectory; ++i) path += "/b";
  std::filesystem::create_directories(root / path);
  EXPECT_THAT(walked(root, {{.root_glob = "a/**"}}), ElementsAre("a/x"));
  EXPECT_EQ(testing::error_of([&] { walked(root, {{.root_glob = "**"}}); }).kind(), ErrorKind::invalid);
}

TEST(Walk, EndsWhenItIsStopped) {
  testing::Directory root;
  root.write("a", "x");
  root.write("b", "x");
  std::stop_source stop;
  std::vector<Group> groups{{.root_glob = "**"}};
  int visited = 0;
  const auto error = testing::error_of([&] {
    walk(Tree{root.path()}, GroupSet{groups}, stop.get_token(), [&](const WalkedFile&) {
      ++visited;
      stop.request_stop();
    });
  });
  EXPECT_EQ(error.kind(), ErrorKind::cancelled);
  EXPECT_EQ(visited, 1);
}

TEST(Walk, NamesTheRootThatDoesNotExist) {
  const auto error = testing::error_of([] { Tree{"/nonexistent/root"}; });
  EXPECT_EQ(error.kind(), ErrorKind::not_found);
  EXPECT_THAT(error.message(), HasSubstr("/nonexistent/root"));
}

}  // namespace
}  // namespace cherax::snapshot
