#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "snapshot/materialize_testing.h"

namespace cherax::snapshot {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kLarge;
using testing::kTime;
using testing::Repository;

using MaterializeSafety = testing::MaterializeTest;

TEST_F(MaterializeSafety, RenamesNothingIntoPlaceThatHasNotTheDigest) {
  const auto wrong = kLarge.substr(1) + "x";
  for (const auto& content : {wrong, kLarge + "x", kLarge.substr(1), std::string{}}) {
    root_.write("a", "old");
    const auto file = repository_.keep("a", kLarge);
    repository_.falsify(kLarge, content);
    const auto error = error_of_restoring({file});
    EXPECT_EQ(error.kind(), ErrorKind::corrupt) << error.message();
    EXPECT_THAT(error.message(), HasSubstr("restoring " + (root_ / "a").string()));
    EXPECT_EQ(root_.read("a"), "old");
    EXPECT_THAT(temporary_files(), IsEmpty());
  }
}

TEST_F(MaterializeSafety, DoesNotTrustAFetchThatDidNotFinish) {
  compare({repository_.keep("a", kLarge)});
  const auto error = testing::error_of([&] {
    materializer_->restore([](const Digest&, std::uint64_t, Sink& sink) { sink.write(as_bytes(kLarge)); }, progress_,
                           {});
  });
  EXPECT_EQ(error.kind(), ErrorKind::corrupt);
  EXPECT_FALSE(root_.has("a"));
  EXPECT_EQ(progress_.bytes_done, 0);
}

TEST_F(MaterializeSafety, RefusesPathsThatLeaveTheRoot) {
  for (const auto* path : {"", "/etc/x", "../x", "a/../../x", "a//x", "./x", "a/", "a/\xff"}) {
    const auto error = error_of_restoring({Repository::embed(path, "x")});
    EXPECT_EQ(error.kind(), ErrorKind::invalid) << path;
  }
  EXPECT_EQ(error_of_restoring({Repository::embed(std::string("a\0b", 3), "x")}).kind(), ErrorKind::invalid);
  EXPECT_THAT(root_.files(), IsEmpty());
}

TEST_F(MaterializeSafety, RefusesPathsThatCheraxKeepsForItself) {
  for (const auto* path : {".cherax-links/a", "a/.cherax-0.tmp", "cherax_index.db"}) {
    EXPECT_EQ(error_of_restoring({Repository::embed(path, "x")}).kind(), ErrorKind::invalid) << path;
  }
  restore({Repository::embed(".astacus/x", "x")});
  EXPECT_EQ(root_.read(".astacus/x"), "x");
}

TEST_F(MaterializeSafety, RefusesPathsThroughASymbolicLinkBeforeAnythingIsChanged) {
  testing::Directory outside;
  root_.write("a", "surplus");
  root_.write("real/b", "x");
  std::filesystem::create_directory_symlink(outside.path(), root_ / "link");
  std::filesystem::create_directory_symlink(outside.path(), root_ / "real/link");
  for (const auto* path : {"link/x", "link/x/y", "real/link/x", "real/link"}) {
    const auto error = error_of_restoring({Repository::embed(path, "x")});
    EXPECT_EQ(error.kind(), ErrorKind::invalid) << path;
    EXPECT_THAT(error.message(), HasSubstr("symbolic link"));
  }
  EXPECT_THAT(outside.files(), IsEmpty());
  EXPECT_EQ(root_.read("a"), "surplus");
}

TEST_F(MaterializeSafety, DoesNotFollowALinkThatAppearsWhileItWorks) {
  testing::Directory outside;
  root_.write("d/old", "x");
  compare({repository_.keep("d/new", kLarge)});
  repository_.before_each([&](const Digest&) {
    std::filesystem::rename(root_ / "d", root_ / "moved");
    std::filesystem::create_directory_symlink(outside.path(), root_ / "d");
  });
  materializer_->restore(repository_.fetch(), progress_, {});
  EXPECT_THAT(outside.files(), IsEmpty());
  compare({});
  materializer_->restore(repository_.fetch(), progress_, {});
  EXPECT_EQ(testing::error_of([&] { compare({repository_.keep("d/new", kLarge)}); }).kind(), ErrorKind::invalid);
}

TEST_F(MaterializeSafety, RefusesToReplaceASpecialFile) {
  ASSERT_EQ(::mkfifo((root_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(error_of_restoring({Repository::embed("pipe", "x")}).kind(), ErrorKind::invalid);
  EXPECT_TRUE(std::filesystem::is_fifo(root_ / "pipe"));
}

TEST_F(MaterializeSafety, RefusesABackupThatContradictsItself) {
  EXPECT_EQ(error_of_restoring({Repository::embed("a", "x"), Repository::embed("a", "y")}).kind(), ErrorKind::invalid);
  EXPECT_EQ(
      error_of_restoring({Repository::embed("a", "x"), Repository::embed("a-b", "x"), Repository::embed("a/b/c", "y")})
          .kind(),
      ErrorKind::invalid);
  auto file = Repository::embed("a", "x");
  file.file_size = 2;
  EXPECT_EQ(error_of_restoring({file}).kind(), ErrorKind::invalid);
  EXPECT_THAT(root_.files(), IsEmpty());
}

TEST_F(MaterializeSafety, RefusesToRemoveWhatTheGlobsDoNotCoverToMakeWay) {
  options_.globs = {"*/*.db"};
  root_.write("a/b.db", "x");
  root_.write("a/c.txt", "x");
  root_.write("f", "x");
  for (const auto* path : {"a", "f/g.db"}) {
    const auto error = error_of_restoring({repository_.keep(path, kLarge)});
    EXPECT_EQ(error.kind(), ErrorKind::invalid);
    EXPECT_THAT(error.message(), HasSubstr("in the way"));
  }
  EXPECT_THAT(root_.files(), ElementsAre("a/b.db", "a/c.txt", "f"));
}

TEST_F(MaterializeSafety, TellsTheSpaceThatIsNeededBeforeAnythingIsChanged) {
  root_.write("replaced", std::string(8192, 'r'));
  compare({repository_.keep("replaced", std::string(12'288, 's')), repository_.keep("new/d/a", std::string(4097, 't')),
           repository_.keep("new/d/b", std::string(100, 'u')), repository_.keep("new/e/c", std::string(100, 'u'))});
  const auto needs = materializer_->required_space();
  ASSERT_EQ(needs.size(), 1);
  // Largest first: 12 KiB, then 8 of them are free again, then 8 KiB, 4 KiB and 4 KiB; three directories.
  EXPECT_EQ(needs[0].bytes, (12 - 8 + 8 + 4 + 4) * 1024 + 3 * 4096);
  EXPECT_EQ(needs[0].files, 3 + 3 + 1) << "files, directories, and the temporary name";
  EXPECT_GT(needs[0].available_bytes, 1'000'000);
  EXPECT_THAT(root_.files(), ElementsAre("replaced"));
  require_space(needs);
  materializer_->restore(repository_.fetch(), progress_, {});
  compare({repository_.keep("new/d/a", std::string(4097, 't'))});
  EXPECT_THAT(materializer_->required_space(), IsEmpty());
}

TEST_F(MaterializeSafety, CountsNoSpaceAsFreedThatAnotherLinkHolds) {
  root_.write("a", std::string(8192, 'r'));
  std::filesystem::create_hard_link(root_ / "a", root_ / "b");
  options_.workers = 3;
  compare({repository_.keep("a", std::string(4096, 's')), repository_.keep("c", std::string(4096, 't'))});
  const auto needs = materializer_->required_space();
  EXPECT_EQ(needs.at(0).bytes, 2 * 4096 + 2 * 4096) << "with what the other two workers are writing";
  EXPECT_EQ(needs.at(0).files, 2 + 2 + 1);
}

TEST(RequireSpace, RefusesWithTheNumbers) {
  require_space({{"/x", 10, 5, 10, 5}});
  for (const auto& need : {SpaceNeed{"/x", 11, 5, 10, 5}, SpaceNeed{"/x", 10, 6, 10, 5}}) {
    const auto error = testing::error_of([&] { require_space({need}); });
    EXPECT_EQ(error.kind(), ErrorKind::invalid);
    EXPECT_THAT(error.message(), HasSubstr("/x"));
    EXPECT_THAT(error.message(), HasSubstr("nothing was changed"));
  }
}

TEST_F(MaterializeSafety, NeedsMoreSpaceThanThereIsForAnAbsurdManifest) {
  SnapshotFile file{"a", std::uint64_t{1} << 60, kTime, testing::digest_of_text("x")};
  compare({file});
  EXPECT_THROW(require_space(materializer_->required_space()), Error);
}

}  // namespace
}  // namespace cherax::snapshot
