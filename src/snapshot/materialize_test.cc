#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <set>

#include "base/file.h"
#include "snapshot/clear.h"
#include "snapshot/materialize_testing.h"
#include "snapshot/snapshotter.h"

namespace cherax::snapshot {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kLarge;
using testing::kLarger;
using testing::kTime;
using testing::Repository;

using Materialize = testing::MaterializeTest;

TEST_F(Materialize, RestoresContentAndTimeToTheNanosecond) {
  restore({repository_.keep("a/b/large", kLarge, 1'500'000'000'000'000'001), Repository::embed("small", "x"),
           Repository::embed("empty", ""), repository_.keep("before-1970", kLarger, -1)});
  EXPECT_THAT(root_.files(), ElementsAre("a/b/large", "before-1970", "empty", "small"));
  EXPECT_EQ(root_.read("a/b/large"), kLarge);
  EXPECT_EQ(root_.stamp("a/b/large").mtime_ns, 1'500'000'000'000'000'001);
  EXPECT_EQ(root_.read("before-1970"), kLarger);
  EXPECT_EQ(root_.stamp("before-1970").mtime_ns, -1);
  EXPECT_EQ(root_.read("small"), "x");
  EXPECT_EQ(root_.read("empty"), "");
  expect_progress_is_complete(4, 301'001);
}

TEST_F(Materialize, LeavesTheHolesOfAFileThatHadSome) {
  const auto allocated = [&](std::string_view path) { return cherax::status_of(root_ / path)->st_blocks * 512; };
  std::string content(1'000'000, '\0');
  content.replace(300'000, 5, "there");
  const auto dense = repository_.keep("dense", content);
  content.replace(300'000, 5, "where");
  auto sparse = repository_.keep("sparse", content);
  sparse.allocated_size = 4096;
  restore({dense, sparse});
  EXPECT_EQ(root_.read("sparse"), content);
  EXPECT_LE(allocated("sparse"), 65'536);
  EXPECT_GE(allocated("dense"), 1'000'000);
}

RC_GTEST_FIXTURE_PROP(Materialize, WhateverHasHolesComesBackByteForByte, ()) {
  const auto lengths = *rc::gen::container<std::vector<std::uint16_t>>(rc::gen::inRange<std::uint16_t>(0, 20'000));
  std::string content;
  for (const auto length : lengths) content.append(length, length % 3 == 0 ? 'x' : '\0');
  auto file = repository_.keep("a", content);
  file.allocated_size = 0;
  restore({file});
  RC_ASSERT(root_.read("a") == content);
}

TEST_F(Materialize, LeavesEqualFilesAlone) {
  root_.write("same", kLarge);
  root_.write("other", std::string(1000, 'o'));
  root_.write("longer", kLarge + "x");
  const auto stamp = root_.stamp("same");
  restore({repository_.keep("same", kLarge), repository_.keep("other", kLarger), repository_.keep("longer", kLarge)});
  EXPECT_EQ(root_.stamp("same"), stamp);
  EXPECT_EQ(root_.read("other"), kLarger);
  EXPECT_EQ(root_.read("longer"), kLarge);
  EXPECT_THAT(repository_.take_fetched(), ElementsAre(kLarger.size())) << "the other large one is in the root";
  expect_progress_is_complete(3, 302'000);
}

TEST_F(Materialize, CorrectsOnlyTheTimeOfAFileThatIsOtherwiseEqual) {
  root_.write("a", kLarge, kTime + 5);
  const auto inode = root_.stamp("a").inode;
  restore({repository_.keep("a", kLarge, kTime)});
  EXPECT_EQ(root_.stamp("a"), (FileStamp{1000, kTime, inode}));
  EXPECT_THAT(repository_.take_fetched(), IsEmpty());
}

TEST_F(Materialize, FetchesEachContentOnceLargestFirst) {
  std::vector<SnapshotFile> files;
  for (int i = 0; i < 5; ++i) {
    files.push_back(repository_.keep(fmt::format("a{}", i), kLarge));
    files.push_back(repository_.keep(fmt::format("b{}/c", i), kLarger));
    files.push_back(repository_.keep(fmt::format("d{}", i), std::string(1000, 'd')));
  }
  restore(files);
  EXPECT_THAT(repository_.take_fetched(), ElementsAre(kLarger.size(), 1000, 1000));
  std::set<std::uint64_t> inodes;
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(root_.read(fmt::format("b{}/c", i)), kLarger);
    inodes.insert(root_.stamp(fmt::format("b{}/c", i)).inode);
  }
  EXPECT_EQ(inodes.size(), 5) << "duplicates are files of their own";
  expect_progress_is_complete(15, 1'510'000);
}

TEST_F(Materialize, FetchesWhatALocalCopyNoLongerHas) {
  root_.write("a", kLarge);
  root_.write("c", "x");
  compare({repository_.keep("a", kLarge), repository_.keep("b", kLarge)});
  root_.write("a", std::string(1000, 'z'));
  materializer_->restore(repository_.fetch(), progress_, {});
  EXPECT_EQ(root_.read("b"), kLarge);
  EXPECT_THAT(repository_.take_fetched(), ElementsAre(1000));
  expect_progress_is_complete(2, 2000);
}

TEST_F(Materialize, WorksOnManyThreads) {
  options_.workers = 8;
  std::vector<SnapshotFile> files;
  files.reserve(300);
  for (int i = 0; i < 300; ++i) {
    files.push_back(repository_.keep(fmt::format("d{}/e{}/f{}", i % 7, i % 5, i), fmt::format("{}{}", kLarge, i % 50)));
  }
  restore(files);
  EXPECT_EQ(root_.files().size(), 300);
  EXPECT_EQ(repository_.take_fetched().size(), 50);
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(root_.read(fmt::format("d{}/e{}/f{}", i % 7, i % 5, i)), fmt::format("{}{}", kLarge, i % 50));
  }
}

TEST_F(Materialize, RemovesSurplusFilesThatTheGlobsMatchAndNothingElse) {
  options_.globs = {"data/**"};
  for (const auto* path : {"data/a", "data/b/c", "data/.hidden", "other/d", ".astacus/e"}) root_.write(path, "x");
  std::filesystem::create_symlink("a", root_ / "data/link");
  restore({repository_.keep("data/new", kLarge), repository_.keep("elsewhere", kLarge)});
  EXPECT_THAT(root_.files(), ElementsAre("data/.hidden", "data/link", "data/new", "elsewhere", "other/d"));
  EXPECT_TRUE(root_.has("data/b")) << "directories stay";
  EXPECT_TRUE(root_.has(".astacus/e"));
}

TEST_F(Materialize, PutsAFileWhereADirectoryOfSurplusFilesWas) {
  root_.write("a/b/c", "x");
  root_.write("a/d", "x");
  restore({repository_.keep("a", kLarge)});
  EXPECT_THAT(root_.files(), ElementsAre("a"));
  EXPECT_EQ(root_.read("a"), kLarge);
}

TEST_F(Materialize, PutsADirectoryWhereASurplusFileWas) {
  root_.write("a", "x");
  restore({repository_.keep("a/b/c", kLarge), repository_.keep("a/d", kLarge)});
  EXPECT_THAT(root_.files(), ElementsAre("a/b/c", "a/d"));
}

TEST_F(Materialize, RestoresTheLongestNames) {
  const std::string name(255, 'n');
  std::string deep;
  while (deep.size() + 201 + 255 < 4090) deep += std::string(200, 'd') + '/';
  restore({repository_.keep(name, kLarge), repository_.keep(deep + name, kLarger)});
  EXPECT_EQ(root_.read(name), kLarge);
  const auto opened = Tree{root_.path()}.open_file(deep + name, O_RDONLY);
  ASSERT_TRUE(opened);
  EXPECT_EQ(stamp_of(status_of(opened.number())).size, kLarger.size());
  // Too long for a path from "/" on, as the test's own directory would have it.
  std::filesystem::current_path(root_.path());
  std::filesystem::remove_all(std::string(200, 'd'));
  std::filesystem::current_path("/");
}

TEST_F(Materialize, RemovesWhatAKilledRestoreLeftBehind) {
  root_.write("a/.cherax-0123456789abcdef.tmp", "half");
  root_.write("a/b", kLarge);
  root_.write(".cherax-0123456789abcdef.tmp", "half");
  restore({repository_.keep("a/b", kLarge), repository_.keep("c", kLarge)});
  EXPECT_THAT(temporary_files(), IsEmpty());
}

TEST_F(Materialize, ContinuesWhereAStoppedRestoreEnded) {
  std::vector<SnapshotFile> files;
  files.reserve(10);
  for (int i = 0; i < 10; ++i) files.push_back(repository_.keep(fmt::format("f{}", i), kLarge + std::to_string(i)));
  root_.write("surplus", "x");
  int calls = 0;
  repository_.before_each([&](const Digest&) {
    if (++calls == 4) stop_.request_stop();
  });
  EXPECT_EQ(error_of_restoring(files).kind(), ErrorKind::cancelled);
  EXPECT_EQ(root_.files().size(), 4) << "three files, and the surplus one that only a whole restore removes";
  EXPECT_THAT(temporary_files(), IsEmpty());
  EXPECT_EQ(progress_.bytes_done, 3003);
  repository_.take_fetched();
  repository_.before_each({});
  stop_ = {};
  restore(files);
  EXPECT_EQ(repository_.take_fetched().size(), 7);
  EXPECT_EQ(root_.files().size(), 10);
}

TEST_F(Materialize, MakesFilesWithTheModeLessTheUmask) {
  const auto previous = ::umask(027);
  restore({repository_.keep("d/a", kLarge)});
  options_.mode = 0666;
  restore({repository_.keep("d/a", kLarge), repository_.keep("d/b", kLarger)});
  ::umask(previous);
  EXPECT_EQ(root_.status("d/a").st_mode & 07777, 0640U);
  EXPECT_EQ(root_.status("d/b").st_mode & 07777, 0640U);
  EXPECT_EQ(root_.status("d").st_mode & 0777, 0750U);
}

TEST_F(Materialize, TheGroupCanEnterNewDirectoriesWhateverTheUmask) {
  const ::gid_t group = ::geteuid() == 0 ? 23456 : ::getegid();
  ASSERT_EQ(::chown(root_.path().c_str(), ::geteuid(), group), 0);
  options_.owner_of_parent = true;
  std::filesystem::create_directory(root_ / "old");
  ::chmod((root_ / "old").c_str(), 0700);
  const auto previous = ::umask(077);
  restore({repository_.keep("d/e/a", kLarge), repository_.keep("old/d/a", kLarge)});
  ::umask(previous);
  for (const auto* path : {"d", "d/e", "old/d"}) EXPECT_EQ(root_.status(path).st_mode & 07777, 0750U) << path;
  EXPECT_EQ(root_.status("d/e").st_gid, group);
  EXPECT_EQ(root_.status("d/e/a").st_mode & 07777, 0600U) << "files are as Astacus makes them";
  EXPECT_EQ(root_.status("old").st_mode & 07777, 0700U) << "it was there";
}

TEST_F(Materialize, GivesFilesAndDirectoriesToTheOwnerOfTheirParent) {
  // Only root can. Everybody else owns the parent anyway, and what is made in it.
  const ::uid_t owner = ::geteuid() == 0 ? 12345 : ::geteuid();
  const ::gid_t group = ::geteuid() == 0 ? 23456 : ::getegid();
  ASSERT_EQ(::chown(root_.path().c_str(), owner, group), 0);
  options_.owner_of_parent = true;
  restore({repository_.keep("a/b/c", kLarge), repository_.keep("d", kLarge), Repository::embed("e", "x")});
  for (const auto* path : {"a", "a/b", "a/b/c", "d", "e"}) {
    EXPECT_EQ(root_.status(path).st_uid, owner) << path;
    EXPECT_EQ(root_.status(path).st_gid, group) << path;
  }
}

TEST_F(Materialize, KeepsItsOwnOwnerOtherwise) {
  const ::uid_t other = ::geteuid() == 0 ? 12345 : ::geteuid();
  ASSERT_EQ(::chown(root_.path().c_str(), other, ::getegid()), 0);
  restore({repository_.keep("a/b", kLarge)});
  EXPECT_EQ(root_.status("a").st_uid, ::geteuid());
  EXPECT_EQ(root_.status("a/b").st_uid, ::geteuid());
}

TEST_F(Materialize, GoesWhereTheMapSays) {
  options_.map_path = [](std::string_view path) -> std::optional<std::string> {
    if (path.starts_with("skip/")) return std::nullopt;
    return "to/" + std::string{path};
  };
  restore({repository_.keep("a", kLarge), repository_.keep("skip/b", kLarger)});
  EXPECT_THAT(root_.files(), ElementsAre("to/a"));
  options_.map_path = [](std::string_view) { return "../x"; };
  EXPECT_EQ(error_of_restoring({repository_.keep("a", kLarge)}).kind(), ErrorKind::invalid);
}

TEST_F(Materialize, TellsTheIndexWhatItRestoredOnceItIsOnTheDisk) {
  const std::vector<SnapshotFile> files{repository_.keep("a", kLarge), Repository::embed("b", "small"),
                                        repository_.keep("c", kLarger)};
  root_.write("c", kLarger, kTime + 1);
  restore(files);
  EXPECT_EQ(index_.size(), 0);
  options_.sync = true;
  restore(files);
  EXPECT_EQ(index_.size(), 3);
  EXPECT_EQ(index_.find("a", root_.stamp("a"), false)->digest, testing::digest_of_text(kLarge));
  EXPECT_EQ(index_.find("b", root_.stamp("b"), false)->content->size(), 5);
  // What nobody reads, nobody sees change without a trace in its stamp.
  root_.write("a", std::string(1000, 'z'), kTime);
  restore(files);
  EXPECT_EQ(root_.read("a"), std::string(1000, 'z'));
  EXPECT_EQ(repository_.take_fetched().size(), 1);
}

TEST_F(Materialize, ClearRemovesTheFilesThatTheGlobsMatch) {
  for (const auto* path : {"a/b.db", "a/c.txt", "a/.d.db", "e.db"}) root_.write(path, "x");
  std::filesystem::create_symlink("b.db", root_ / "a/link.db");
  clear(root_.path(), std::vector<std::string>{"**/*.db", "nothing/*"}, progress_, {});
  EXPECT_THAT(root_.files(), ElementsAre("a/.d.db", "a/c.txt", "a/link.db"));
  expect_progress_is_complete(2, 2);
}

TEST_F(Materialize, ClearEndsWhenItIsStopped) {
  root_.write("a", "x");
  stop_.request_stop();
  EXPECT_EQ(testing::error_of([&] {
              clear(root_.path(), std::vector<std::string>{"**"}, progress_, stop_.get_token());
            }).kind(),
            ErrorKind::cancelled);
  EXPECT_TRUE(root_.has("a"));
}

/// A random tree: paths without contradictions, contents that repeat.
std::map<std::string, std::string> random_tree() {
  const auto paths = *rc::gen::container<std::vector<std::string>>(rc::gen::map(
      rc::gen::resize(4, rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(
                             rc::gen::element<std::string>("a", "b", "c", "é", "a b", "x\ny", "-", "a.b")))),
      [](const std::vector<std::string>& segments) { return fmt::format("{}", fmt::join(segments, "/")); }));
  std::map<std::string, std::string> tree;
  for (const auto& path : paths) {
    const bool contradicts = std::ranges::any_of(tree, [&](const auto& other) {
      return other.first.starts_with(path + '/') || path.starts_with(other.first + '/');
    });
    if (contradicts) continue;
    const auto size = *rc::gen::element<std::size_t>(0, 1, 200, 201, 5000, kStreamBuffer + 1);
    tree[path] = std::string(size, *rc::gen::element('x', 'y'));
  }
  return tree;
}

RC_GTEST_PROP(MaterializeProperty, UndoesASnapshotWhateverWasThere, ()) {
  const auto before = random_tree();
  const auto there = random_tree();
  const testing::Directory source;
  const testing::Directory target;
  const testing::Directory database{"/dev/shm"};  // many fsyncs
  std::int64_t time = kTime;
  for (const auto& [path, content] : before) source.write(path, content, time += 1'234'567'891);
  for (const auto& [path, content] : there) target.write(path, content);

  ManualClock clock;
  Snapshotter snapshotter{{source.path(), source.path(), database / "a.db", 2}, clock};
  Progress progress;
  const auto totals = snapshotter.take(std::vector<Group>{{.root_glob = "**"}}, progress, {});
  RC_ASSERT(totals.files == before.size());

  Index index{database / "b.db"};
  Materializer materializer{{.root = target.path(), .globs = {"**"}, .workers = 2, .sync = false}, index, clock};
  snapshotter.for_each([&](const SnapshotFile& file) { materializer.want(file); });
  Progress restored;
  materializer.compare(restored, {});
  require_space(materializer.required_space());
  materializer.restore(
      [&](const Digest& digest, std::uint64_t, Sink& sink) {
        RC_ASSERT(snapshotter.find(digest, [&](const FrozenFile& file) {
          File opened{file.link, O_RDONLY};
          FileSource content{opened};
          pump(content, sink);
          return true;
        }));
      },
      restored, {});

  std::vector<std::string> paths;
  for (const auto& [path, content] : before) {
    paths.push_back(path);
    RC_ASSERT(target.read(path) == content);
    RC_ASSERT(target.stamp(path).mtime_ns == source.stamp(path).mtime_ns);
  }
  RC_ASSERT(target.files() == paths);
  RC_ASSERT(restored.bytes_done == totals.bytes);

  // Nothing is left to do.
  Materializer second{{.root = target.path(), .globs = {"**"}}, index, clock};
  snapshotter.for_each([&](const SnapshotFile& file) { second.want(file); });
  second.compare(restored, {});
  RC_ASSERT(second.required_space().empty());
}

}  // namespace
}  // namespace cherax::snapshot
