#include "snapshot/snapshotter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/manual_clock.h"
#include "snapshot/hash.h"
#include "snapshot/testing.h"

namespace cherax::snapshot {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kLarge(1000, 'l');
const std::string kLarger(300'000, 'm');

Digest digest_of_text(std::string_view text) { return digest_of_bytes(as_bytes(text)); }
Bytes bytes_of(std::string_view text) { return {as_bytes(text).begin(), as_bytes(text).end()}; }

class SnapshotterTest : public ::testing::Test {
 protected:
  void restart(std::size_t workers = 2) {
    snapshotter_.reset();
    snapshotter_.emplace(
        SnapshotterOptions{root_.path(), root_.path() / ".astacus", database_ / "cherax_index.db", workers}, *clock_);
  }
  SnapshotTotals take(std::vector<Group> groups = {{.root_glob = "**"}}) {
    return snapshotter_->take(groups, progress_, stop_.get_token());
  }
  std::vector<SnapshotFile> files() {
    std::vector<SnapshotFile> all;
    snapshotter_->for_each([&](const SnapshotFile& file) { all.push_back(file); });
    return all;
  }
  std::vector<std::string> paths() {
    std::vector<std::string> all;
    for (const auto& file : files()) all.push_back(file.relative_path);
    return all;
  }
  SnapshotFile file(std::string_view path) {
    for (auto& each : files()) {
      if (each.relative_path == path) return each;
    }
    throw std::logic_error("not in the snapshot: " + std::string{path});
  }
  std::vector<FrozenFile> found(const Digest& digest) {
    std::vector<FrozenFile> all;
    EXPECT_FALSE(snapshotter_->find(digest, [&](const FrozenFile& each) {
      all.push_back(each);
      return false;
    }));
    return all;
  }
  /// Changes the content, but nothing that a stamp shows: whoever still tells the old digest has not read it.
  void change_unnoticeably(std::string_view path) {
    const auto stamp = root_.stamp(path);
    root_.write(path, std::string(stamp.size, 'z'), stamp.mtime_ns);
    ASSERT_EQ(root_.stamp(path), stamp);
  }

  testing::Directory root_;
  testing::Directory database_;
  ManualClock manual_clock_;
  Clock* clock_ = &manual_clock_;
  Progress progress_;
  std::stop_source stop_;
  std::optional<Snapshotter> snapshotter_;

  void SetUp() override { restart(); }
};

TEST_F(SnapshotterTest, NamesFilesInByteOrderWithDigestOrContent) {
  root_.write("b/large", kLarge, 1'500'000'000'000'000'001);
  root_.write("b-a", "small");
  root_.write("a", "");
  const auto totals = take();
  EXPECT_EQ(totals.files, 3);
  EXPECT_EQ(totals.bytes, 1005);
  EXPECT_EQ(totals.files_read, 3);
  EXPECT_EQ(totals.bytes_read, 1005);
  EXPECT_THAT(files(), ElementsAre(SnapshotFile{"a", 0, testing::Directory::kLongAgo_ns, Bytes{}},
                                   SnapshotFile{"b-a", 5, testing::Directory::kLongAgo_ns, bytes_of("small")},
                                   SnapshotFile{"b/large", 1000, 1'500'000'000'000'000'001, digest_of_text(kLarge)}));
}

TEST_F(SnapshotterTest, SaysHowMuchOfAFileWithHolesIsOnTheDisk) {
  root_.write("sparse", kLarge);
  std::filesystem::resize_file(root_ / "sparse", 1'000'000);
  root_.write("dense", kLarger);
  for (int time = 0; time < 2; ++time) {
    take();
    EXPECT_EQ(file("dense").allocated_size, std::nullopt);
    EXPECT_THAT(file("sparse").allocated_size, ::testing::Optional(::testing::Le(65'536U)));
  }
}

TEST_F(SnapshotterTest, OfNothingIsEmpty) {
  EXPECT_EQ(take().files, 0);
  EXPECT_THAT(files(), IsEmpty());
  EXPECT_THAT(found(digest_of_text("")), IsEmpty());
}

TEST_F(SnapshotterTest, ReadsAnUnchangedFileOnlyOnceAlsoOverARestart) {
  root_.write("a", kLarge);
  root_.write("b", "small");
  take();
  change_unnoticeably("a");
  change_unnoticeably("b");
  EXPECT_EQ(take().files_read, 0);
  restart();
  EXPECT_EQ(take().files_read, 0);
  EXPECT_EQ(file("a").body, (std::variant<Digest, Bytes>{digest_of_text(kLarge)}));
  EXPECT_EQ(file("b").body, (std::variant<Digest, Bytes>{bytes_of("small")}));
}

TEST_F(SnapshotterTest, ReadsAgainWhatHasAnotherSizeTimeOrInode) {
  for (const auto* path : {"size", "time", "inode", "same"}) root_.write(path, kLarge);
  take();
  root_.write("size", kLarge + "x");
  root_.set_mtime("time", testing::Directory::kLongAgo_ns + 1);
  root_.write("other", std::string(1000, 'o'));
  std::filesystem::rename(root_ / "other", root_ / "inode");
  const auto totals = take();
  EXPECT_EQ(totals.files_read, 3);
  EXPECT_EQ(totals.bytes_read, 3001);
  EXPECT_EQ(file("inode").body, (std::variant<Digest, Bytes>{digest_of_text(std::string(1000, 'o'))}));
}

TEST_F(SnapshotterTest, ReadsAFileAgainThatHadNotSettled) {
  const auto scan = testing::ns_of(manual_clock_.now());
  root_.write("settled", kLarge, scan - 2'000'000'000);
  root_.write("fresh", kLarge, scan - 1'999'999'999);
  root_.write("future", kLarge, scan + 1'000'000'000'000);
  take();
  for (const auto* path : {"settled", "fresh", "future"}) change_unnoticeably(path);
  manual_clock_.advance(std::chrono::seconds{1});
  EXPECT_EQ(take().files_read, 2);
  EXPECT_EQ(file("settled").body, (std::variant<Digest, Bytes>{digest_of_text(kLarge)}));
  EXPECT_EQ(file("fresh").body, (std::variant<Digest, Bytes>{digest_of_text(std::string(1000, 'z'))}));
  EXPECT_EQ(take().files_read, 1) << "fresh has settled when it was read again";
}

TEST_F(SnapshotterTest, DoesNotWaitForAnImmutableFileToSettle) {
  root_.write("a", kLarge, testing::ns_of(manual_clock_.now()));
  const std::vector<Group> groups{{.root_glob = "**", .immutable = true}};
  take(groups);
  EXPECT_EQ(take(groups).files_read, 0);
  EXPECT_TRUE(found(digest_of_text(kLarge)).at(0).immutable);
  EXPECT_EQ(take().files_read, 1) << "now another group says that it may change";
}

TEST_F(SnapshotterTest, HonoursANewLimitForAnUnchangedFile) {
  root_.write("a", kLarge);
  const auto with_limit = [&](std::optional<std::uint64_t> limit) {
    return take({{.root_glob = "**", .embedded_file_size_max = limit}});
  };
  with_limit(200);
  EXPECT_EQ(file("a").body, (std::variant<Digest, Bytes>{digest_of_text(kLarge)}));
  EXPECT_EQ(with_limit(1000).files_read, 1) << "its content was not kept";
  EXPECT_EQ(file("a").body, (std::variant<Digest, Bytes>{bytes_of(kLarge)}));
  EXPECT_EQ(with_limit(999).files_read, 0);
  EXPECT_EQ(file("a").body, (std::variant<Digest, Bytes>{digest_of_text(kLarge)}));
  EXPECT_EQ(with_limit(std::nullopt).files_read, 0);
  EXPECT_EQ(file("a").body, (std::variant<Digest, Bytes>{bytes_of(kLarge)}));
}

TEST_F(SnapshotterTest, EmbedsNothingThatWouldFillTheMemory) {
  root_.write("a", std::string(kLargestEmbedded, 'a'));
  root_.write("b", std::string(kLargestEmbedded + 1, 'b'));
  take({{.root_glob = "**", .embedded_file_size_max = std::nullopt}});
  EXPECT_TRUE(std::holds_alternative<Bytes>(file("a").body));
  EXPECT_TRUE(std::holds_alternative<Digest>(file("b").body));
}

TEST_F(SnapshotterTest, DropsWhatIsGone) {
  root_.write("a", kLarge);
  root_.write("b/c", kLarge);
  take();
  std::filesystem::remove_all(root_ / "b");
  take();
  EXPECT_THAT(paths(), ElementsAre("a"));
  EXPECT_FALSE(root_.has(".astacus/.cherax-links/b"));
  root_.write("b/c", kLarge);
  EXPECT_EQ(take().files_read, 1) << "its row is gone";
}

TEST_F(SnapshotterTest, TakesADirectoryThatBecameAFile) {
  root_.write("a/b", kLarge);
  take();
  std::filesystem::remove_all(root_ / "a");
  root_.write("a", kLarger);
  take();
  EXPECT_THAT(paths(), ElementsAre("a"));
  take();
  EXPECT_THAT(paths(), ElementsAre("a"));
}

/// The clock is asked between the walk and the reading of a file: a moment to interfere in.
class InterferingClock final : public Clock {
 public:
  Timestamp now() override {
    if (interfere) interfere();
    return system_clock().now();
  }
  SteadyTime steady() override { return system_clock().steady(); }
  bool sleep_for(Duration, std::stop_token) override { return true; }

  std::function<void()> interfere;
};

TEST_F(SnapshotterTest, KeepsAFileThatVanishesAfterItWasLinked) {
  InterferingClock clock;
  clock_ = &clock;
  restart();
  root_.write("a", kLarge);
  clock.interfere = [&] { std::filesystem::remove(root_ / "a"); };
  take();
  EXPECT_FALSE(root_.has("a"));
  EXPECT_EQ(file("a").body, (std::variant<Digest, Bytes>{digest_of_text(kLarge)}));
}

TEST_F(SnapshotterTest, DoesNotLeaveOutAFileWhoseLinkIsRemovedByOthers) {
  InterferingClock clock;
  clock_ = &clock;
  restart(1);
  root_.write("a", kLarge);
  root_.write("b", kLarge);
  clock.interfere = [&] {
    clock.interfere = {};
    std::filesystem::remove(root_ / ".astacus/.cherax-links/b");
  };
  const auto error = testing::error_of([&] { take(); });
  EXPECT_EQ(error.kind(), ErrorKind::transient);
  EXPECT_THAT(error.message(), HasSubstr(".cherax-links/b"));
}

TEST_F(SnapshotterTest, LeavesOutAFileThatIsGoneTogetherWithItsLink) {
  InterferingClock clock;
  clock_ = &clock;
  restart(1);
  root_.write("a", kLarge);
  root_.write("b", kLarge);
  clock.interfere = [&] {
    clock.interfere = {};
    std::filesystem::remove(root_ / "b");
    std::filesystem::remove(root_ / ".astacus/.cherax-links/b");
  };
  EXPECT_EQ(take().files, 1);
  EXPECT_THAT(paths(), ElementsAre("a"));
  EXPECT_EQ(progress_.files_total, 1);
  EXPECT_EQ(progress_.bytes_total, 1000);
}

TEST_F(SnapshotterTest, TakesWhatAFileHadWhenItsReadingBegan) {
  InterferingClock clock;
  clock_ = &clock;
  restart();
  root_.write("a", kLarge);
  clock.interfere = [&] {
    clock.interfere = {};
    root_.write("a", kLarger);
  };
  const auto totals = take();
  EXPECT_EQ(totals.bytes, kLarger.size());
  EXPECT_EQ(file("a").file_size, kLarger.size());
  EXPECT_EQ(file("a").body, (std::variant<Digest, Bytes>{digest_of_text(kLarger)}));
}

TEST_F(SnapshotterTest, FindsTheFilesToUploadByPath) {
  root_.write("c", kLarge);
  root_.write("a/b", kLarge);
  root_.write("small", "small");
  root_.write("other", kLarger);
  take();
  const auto all = found(digest_of_text(kLarge));
  ASSERT_EQ(all.size(), 2);
  EXPECT_EQ(all[0].relative_path, "a/b");
  EXPECT_EQ(all[0].link, root_ / ".astacus/.cherax-links/a/b");
  EXPECT_EQ(all[0].stamp, root_.stamp("a/b"));
  EXPECT_FALSE(all[0].immutable);
  EXPECT_EQ(all[1].relative_path, "c");
  EXPECT_THAT(found(digest_of_text("small")), IsEmpty()) << "it is in the manifest already";

  std::vector<std::string> tried;
  EXPECT_TRUE(snapshotter_->find(digest_of_text(kLarge), [&](const FrozenFile& each) {
    tried.push_back(each.relative_path);
    return true;
  }));
  EXPECT_THAT(tried, ElementsAre("a/b"));
}

TEST_F(SnapshotterTest, NamesEachDigestOnce) {
  root_.write("a", kLarge);
  root_.write("b", kLarge);
  root_.write("c", kLarger);
  root_.write("d", "small");
  take();
  std::map<Digest, std::uint64_t> digests;
  int calls = 0;
  snapshotter_->for_each_digest([&](const Digest& digest, std::uint64_t size) {
    digests[digest] = size;
    ++calls;
  });
  EXPECT_EQ(digests,
            (std::map<Digest, std::uint64_t>{{digest_of_text(kLarge), 1000}, {digest_of_text(kLarger), 300'000}}));
  EXPECT_EQ(calls, 2);
}

TEST_F(SnapshotterTest, ReadsAForgottenFileAgain) {
  root_.write("a", kLarge);
  take();
  change_unnoticeably("a");
  snapshotter_->forget("a");
  restart();
  EXPECT_EQ(take().files_read, 1);
  EXPECT_EQ(file("a").body, (std::variant<Digest, Bytes>{digest_of_text(std::string(1000, 'z'))}));
}

TEST_F(SnapshotterTest, ReleasesTheLinks) {
  root_.write("a/b", kLarge);
  root_.write("c", kLarge);
  root_.write("d", kLarger);
  take();
  snapshotter_->release(digest_of_text(kLarge));
  EXPECT_EQ(root_.status("a/b").st_nlink, 1);
  EXPECT_EQ(root_.status("c").st_nlink, 1);
  EXPECT_EQ(root_.status("d").st_nlink, 2);
  restart();
  snapshotter_->release_all();
  EXPECT_EQ(root_.status("d").st_nlink, 1);
  EXPECT_EQ(take().files_read, 0);
}

TEST_F(SnapshotterTest, RefusesANameThatIsNotUtf8AndSaysWhichFile) {
  root_.write("a/b\xff", "x");
  const auto error = testing::error_of([&] { take(); });
  EXPECT_EQ(error.kind(), ErrorKind::invalid);
  EXPECT_THAT(error.message(), HasSubstr("a/b\\xff"));
  EXPECT_THAT(files(), IsEmpty());
  root_.write("c", "x");
  EXPECT_EQ(take({{.root_glob = "c"}}).files, 1) << "nobody asked for the other file";
}

TEST_F(SnapshotterTest, RemembersWhatItHadReadWhenItIsStopped) {
  for (int i = 0; i < 200; ++i) root_.write(std::to_string(i), kLarge);
  InterferingClock clock;
  clock_ = &clock;
  restart();
  int calls = 0;
  std::mutex mutex;
  clock.interfere = [&] {
    std::scoped_lock lock{mutex};
    if (++calls == 50) stop_.request_stop();
  };
  EXPECT_EQ(testing::error_of([&] { take(); }).kind(), ErrorKind::cancelled);
  EXPECT_THAT(files(), IsEmpty());
  stop_ = {};
  clock.interfere = {};
  const auto totals = take();
  EXPECT_EQ(totals.files, 200);
  EXPECT_LE(totals.files_read, 152);
  EXPECT_GE(totals.files_read, 150);
}

TEST_F(SnapshotterTest, RemembersWhatItHadReadWhenTheProcessIsKilled) {
  root_.write("a", kLarge);
  snapshotter_.reset();
  const auto child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    restart(1);
    take();
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  restart();
  EXPECT_EQ(take().files_read, 0);
}

TEST_F(SnapshotterTest, CountsItsProgress) {
  root_.write("a", kLarge);
  root_.write("b", "small");
  take();
  for (const auto& [total, done, value] : {std::tuple{&progress_.files_total, &progress_.files_done, 2U},
                                           {&progress_.bytes_total, &progress_.bytes_done, 1005U}}) {
    EXPECT_EQ(*total, value);
    EXPECT_EQ(*done, value);
  }
}

TEST_F(SnapshotterTest, WorksOnWhenTheLinkDirectoryWasRemoved) {
  root_.write("a", kLarge);
  take();
  std::filesystem::remove_all(root_ / ".astacus");
  EXPECT_EQ(take().files, 1);
  EXPECT_EQ(root_.status("a").st_nlink, 2);
}

TEST_F(SnapshotterTest, DoesNotTakeALinkDirectoryInsideTheRootForContent) {
  root_.write("a", kLarge);
  Snapshotter snapshotter{{root_.path(), root_.path(), database_ / "other.db", 1}};
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(snapshotter.take(std::vector<Group>{{.root_glob = "**"}, {.root_glob = "**/.*/**"}}, progress_, {}).files,
              1);
  }
}

}  // namespace
}  // namespace cherax::snapshot
