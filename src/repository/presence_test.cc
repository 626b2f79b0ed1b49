#include "repository/presence.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "repository/layout.h"
#include "repository/testing.h"
#include "storage/memory/faulty_store.h"

namespace cherax::repository {
namespace {

using storage::FaultyStore;
using testing::kind_of_error;
using Operation = FaultyStore::Operation;

class PresenceTest : public testing::RepositoryTest {
 protected:
  void put(const storage::ObjectKey& key) {
    MemorySource source{{}};
    store_.put(key, source, {}, storage::PutMode::replace);
  }
  /// `count` sorted digests, of which every third is stored, each at its own time.
  std::vector<Digest> digests_with_every_third_stored(std::size_t count) {
    std::vector<Digest> digests;
    for (std::size_t i = 0; i < count; ++i) digests.push_back(testing::digest_of(std::to_string(i)));
    std::ranges::sort(digests);
    for (std::size_t i = 0; i < count; i += 3) {
      put(blob_key(digests[i]));
      clock_.advance(std::chrono::seconds{1});
    }
    return digests;
  }
  static DigestList view(const std::vector<Digest>& digests) {
    return {.count = digests.size(), .at = [&](std::size_t index) { return digests[index]; }};
  }
  /// What of the operations the store must not see.
  FaultyStore without(Operation forbidden) {
    return FaultyStore{store_,
                       {.before =
                            [=](Operation operation, const std::string&) {
                              if (operation == forbidden) fail(ErrorKind::internal, "not this way");
                            },
                        .alter = {}}};
  }
  void expect_every_third(const std::vector<Digest>& digests, storage::ObjectStore& store) {
    std::vector<int> found(digests.size());
    find_present(store, view(digests), [&](std::size_t index, Timestamp modified) {
      ++found[index];
      EXPECT_EQ(modified, store_.head(blob_key(digests[index]))->modified);
    });
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i], i % 3 == 0 ? 1 : 0) << i;
  }
};

TEST_F(PresenceTest, FewDigestsAreAskedForOneByOne) {
  const auto digests = digests_with_every_third_stored(kListFrom);
  auto store = without(Operation::list);
  expect_every_third(digests, store);
}

TEST_F(PresenceTest, ManyDigestsAreLookedUpInTheListing) {
  const auto digests = digests_with_every_third_stored(3 * kListFrom + 1);
  for (int i = 0; i < 2000; ++i) put(blob_key(testing::digest_of(fmt::format("other {}", i))));
  put({"data/not-a-digest"});
  auto store = without(Operation::head);
  expect_every_third(digests, store);
}

TEST_F(PresenceTest, NoDigestsAreNoQuestion) {
  FaultyStore store{store_,
                    {.before = [](Operation, const std::string&) { fail(ErrorKind::internal, "asked"); }, .alter = {}}};
  find_present(store, {}, [](std::size_t, Timestamp) { ADD_FAILURE(); });
}

TEST_F(PresenceTest, OneByOneTakesAnyOrderAndNumber) {
  auto digests = digests_with_every_third_stored(2 * kListFrom);
  std::ranges::reverse(digests);
  std::set<std::size_t> found;
  auto store = without(Operation::list);
  find_present_one_by_one(store, view(digests), [&](std::size_t index, Timestamp) { found.insert(index); });
  EXPECT_EQ(found.size(), (digests.size() + 2) / 3);
}

TEST_F(PresenceTest, StopEndsIt) {
  std::stop_source stop;
  stop.request_stop();
  for (const std::size_t count : {std::size_t{10}, 3 * kListFrom}) {
    const auto digests = digests_with_every_third_stored(count);
    EXPECT_EQ(kind_of_error([&] {
                find_present(store_, view(digests), [](std::size_t, Timestamp) {}, {.stop = stop.get_token()});
              }),
              ErrorKind::cancelled);
  }
}

TEST_F(PresenceTest, AFailureOfTheStoreIsOurs) {
  auto store = without(Operation::head);
  const auto digests = digests_with_every_third_stored(10);
  EXPECT_EQ(kind_of_error([&] { find_present(store, view(digests), [](std::size_t, Timestamp) {}); }),
            ErrorKind::internal);
}

}  // namespace
}  // namespace cherax::repository
