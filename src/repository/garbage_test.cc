#include "repository/garbage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "repository/testing.h"
#include "storage/memory/faulty_store.h"

namespace cherax::repository {
namespace {

using storage::FaultyStore;
using testing::error_message;
using testing::kind_of_error;
using testing::put_manifest;
using testing::snapshot_result;

const Timestamp kStart = parse_rfc3339("2026-11-23T22:40:25Z").value();

class GarbageTest : public testing::RepositoryTest {
 protected:
  GarbageTest() {
    for (const char* blob : {"shared", "first", "second", "delta", "nobody's"}) store_blob(blob);
    first_.push_back(put_manifest(manifests_, kStart, {snapshot_result({"shared"}), snapshot_result({"first"})}));
    put_manifest(manifests_, kStart + std::chrono::hours{1}, {snapshot_result({"shared", "second"})});
    put_manifest(manifests_, kStart, {snapshot_result({"delta"})}, BackupName::Kind::delta);
    clock_.advance(std::chrono::hours{48});
  }
  GarbageResult collect(std::span<const BackupName> remove = {}, const GarbageOptions& options = {}) {
    return collect_garbage(store_, manifests_, remove, clock_.now(), options);
  }
  std::vector<std::string> present() {
    std::vector<std::string> blobs;
    for (const char* blob : {"shared", "first", "second", "delta", "nobody's"}) {
      if (has_blob(blob)) blobs.emplace_back(blob);
    }
    return blobs;
  }
  std::vector<BackupName> first_;
};

using ::testing::ElementsAre;

TEST_F(GarbageTest, RemovesOnlyWhatNoManifestNames) {
  const auto result = collect();
  EXPECT_THAT(present(), ElementsAre("shared", "first", "second", "delta"));
  EXPECT_EQ(result.removed, 1U);
  EXPECT_EQ(result.kept, 4U);
  EXPECT_GT(result.removed_bytes, 0U);
  EXPECT_EQ(manifests_.list().size(), 3U);
}

TEST_F(GarbageTest, RemovesTheManifestsFirstAndThenTheirBlocks) {
  std::vector<std::string> order;
  FaultyStore store{store_,
                    {.before =
                         [&](FaultyStore::Operation operation, const std::string& key) {
                           if (operation == FaultyStore::Operation::remove) order.push_back(key.substr(0, 5));
                         },
                     .alter = {}}};
  Manifests manifests{store, codec_, {.storage = "x", .temporary_directory = directory_.path()}};
  collect_garbage(store, manifests, first_, clock_.now());
  EXPECT_THAT(order, ElementsAre("json/", "data/", "data/"));
  EXPECT_THAT(present(), ElementsAre("shared", "second", "delta"));
}

TEST_F(GarbageTest, LeavesYoungBlocks) {
  store_blob("young");
  clock_.advance(std::chrono::hours{23});
  collect();
  EXPECT_TRUE(has_blob("young"));
  clock_.advance(std::chrono::hours{2});
  collect();
  EXPECT_FALSE(has_blob("young"));
}

TEST_F(GarbageTest, WithoutGraceAgeDoesNotMatter) {
  store_blob("young");
  collect_garbage(store_, manifests_, {}, clock_.now() - std::chrono::hours{1}, {.gc_grace = {}});  // a clock behind
  EXPECT_FALSE(has_blob("young"));
}

TEST_F(GarbageTest, KeepsBlocksThatOnlyTheListOfFilesNames) {
  store_blob("of a file");
  auto result = json::parse(snapshot_result({"of a file"})).value();
  result.as_object()["hashes"] = nullptr;
  put_manifest(manifests_, kStart, {json::to_text(result)});
  clock_.advance(std::chrono::hours{48});
  collect();
  EXPECT_TRUE(has_blob("of a file"));
}

TEST_F(GarbageTest, KeepsBlocksOfManifestsWithOtherNames) {
  const auto copy = manifests_.open(first_[0]);
  MemorySource source{as_bytes("{}")};
  const auto plain = copy.text();
  store_.put({"json/copy"}, *codec_.encode(*plain, copy.size()), codec_.metadata(), storage::PutMode::if_absent);
  collect(first_);
  EXPECT_TRUE(has_blob("first"));
}

TEST_F(GarbageTest, TouchesNoBlockWhenAManifestCannotBeRead) {
  MemorySource source{as_bytes("garbage")};
  store_.put({"json/backup-x"}, source, codec_.metadata(), storage::PutMode::if_absent);
  EXPECT_EQ(kind_of_error([&] { collect(); }), ErrorKind::corrupt);
  EXPECT_THAT(error_message([&] { collect(); }), ::testing::HasSubstr("json/backup-x"));
  EXPECT_EQ(present().size(), 5U);
}

TEST_F(GarbageTest, LeavesWhatIsNoBlock) {
  MemorySource source{as_bytes("x")};
  store_.put({"data/README"}, source, {}, storage::PutMode::if_absent);
  clock_.advance(std::chrono::hours{48});
  collect();
  EXPECT_TRUE(store_.head({"data/README"}));
}

TEST_F(GarbageTest, ReportsProgressAndStops) {
  for (int i = 0; i < 2500; ++i) store_blob(fmt::format("garbage {}", i));
  clock_.advance(std::chrono::hours{48});
  std::stop_source stop;
  std::vector<std::uint64_t> seen;
  EXPECT_EQ(kind_of_error([&] {
              collect({}, {.stop = stop.get_token(), .on_progress = [&](std::uint64_t done, std::uint64_t) {
                             seen.push_back(done);
                             stop.request_stop();
                           }});
            }),
            ErrorKind::cancelled);
  EXPECT_EQ(seen.size(), 1U);
  EXPECT_THAT(present().size(), ::testing::Ge(4U));
  collect();
  EXPECT_THAT(present(), ElementsAre("shared", "first", "second", "delta"));
}

TEST_F(GarbageTest, StopsBeforeAnythingIsRemoved) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(kind_of_error([&] { collect(first_, {.stop = stop.get_token()}); }), ErrorKind::cancelled);
  EXPECT_EQ(manifests_.list().size(), 3U);
}

}  // namespace
}  // namespace cherax::repository
