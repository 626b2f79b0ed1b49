#include "conformance/object_store_suite.h"

#include <gmock/gmock.h>

#include <atomic>

namespace cherax::conformance {

using namespace storage;
using testing::ElementsAre;
using testing::IsEmpty;

INSTANTIATE_TEST_SUITE_P(Stores, ObjectStoreConformance, testing::ValuesIn(stores_under_test()),
                         [](const auto& info) { return info.param.name; });

ObjectStoreConformance::ObjectStoreConformance() {
  static std::atomic<int> count{0};
  space_ = fmt::format("space-{}", count++);
  store_ = another_handle();
}

void ObjectStoreConformance::put_pattern(const std::string& key, std::uint64_t seed, std::uint64_t size, PutMode mode) {
  PatternSource source{seed, size};
  const Metadata metadata{{"seed", std::to_string(seed)}, {"size", std::to_string(size)}};
  EXPECT_EQ(store().put({key}, source, metadata, mode), size);
}

bool ObjectStoreConformance::is_whole_pattern(ObjectStore& store, const std::string& key, std::uint64_t* found_seed) {
  std::optional<PatternSink> sink;
  std::uint64_t size = 0;
  const bool found = store.get({key}, {}, [&](const ObjectHead& head) -> Sink& {
    size = std::stoull(head.metadata.at("size"));
    EXPECT_EQ(head.size, size);
    const std::uint64_t seed = std::stoull(head.metadata.at("seed"));
    if (found_seed) *found_seed = seed;
    return sink.emplace(seed);
  });
  return found && sink->holds(size);
}

void ObjectStoreConformance::expect_absent(const std::string& key) {
  EXPECT_FALSE(store().head({key})) << key;
  EXPECT_FALSE(store().get(
      {key}, {}, [&](const ObjectHead&) -> Sink& { fail(ErrorKind::internal, "get of {} found something", key); }));
  EXPECT_THAT(keys(key), IsEmpty());
}

std::vector<std::string> ObjectStoreConformance::keys(const std::string& prefix, const std::string& after) {
  std::vector<std::string> keys;
  store().list(prefix, after, [&](std::span<const ObjectInfo> page) {
    EXPECT_FALSE(page.empty());
    for (const ObjectInfo& info : page) keys.push_back(info.key.text);
    return true;
  });
  return keys;
}

namespace {

TEST_P(ObjectStoreConformance, NamesItself) { EXPECT_FALSE(store().describe().empty()); }

TEST_P(ObjectStoreConformance, GivesBackWhatWasPut) {
  const auto before = system_clock().now();
  put_pattern("data/a", 1, 12'345);
  EXPECT_TRUE(is_whole_pattern(store(), "data/a"));
  const auto head = store().head({"data/a"});
  ASSERT_TRUE(head);
  EXPECT_EQ(head->size, 12'345U);
  EXPECT_EQ(head->metadata, (Metadata{{"seed", "1"}, {"size", "12345"}}));
  EXPECT_GT(head->modified, before - std::chrono::minutes{5}) << "clocks may differ a little";
  EXPECT_LT(head->modified, before + std::chrono::minutes{5});
}

TEST_P(ObjectStoreConformance, AnotherHandleSeesTheSameObjectsAndAnotherSpaceNone) {
  put_pattern("data/a", 1, 100);
  EXPECT_TRUE(is_whole_pattern(*another_handle(), "data/a"));
  EXPECT_FALSE(GetParam().open(space_ + "x")->head({"data/a"}));
}

TEST_P(ObjectStoreConformance, AMissingObjectIsNoFailure) {
  expect_absent("data/none");
  const ObjectKey key{"data/none"};
  store().remove({&key, 1});
  store().remove({});
  store().sync();
}

TEST_P(ObjectStoreConformance, KeepsZeroByteObjects) {
  put_pattern("data/empty", 1, 0);
  EXPECT_TRUE(is_whole_pattern(store(), "data/empty"));
  EXPECT_EQ(store().head({"data/empty"})->size, 0U);
  EXPECT_THAT(keys(), ElementsAre("data/empty"));
}

TEST_P(ObjectStoreConformance, StreamsBigObjects) {
  constexpr std::uint64_t kSize = 24 * 1024 * 1024 + 7;
  put_pattern("data/big", 5, kSize);
  EXPECT_TRUE(is_whole_pattern(store(), "data/big"));
  PatternSink middle{5, 8 * 1024 * 1024 - 3};
  EXPECT_TRUE(store().get({"data/big"}, {.offset = 8 * 1024 * 1024 - 3, .length = 5 * 1024 * 1024},
                          [&](const ObjectHead&) -> Sink& { return middle; }));
  EXPECT_TRUE(middle.holds(5 * 1024 * 1024));
}

TEST_P(ObjectStoreConformance, GivesWhatOfARangeLiesWithinTheObject) {
  put_pattern("data/a", 9, 1000);
  struct Case {
    ByteRange range;
    std::uint64_t size;
  };
  for (const auto& [range, size] :
       {Case{{0, 1}, 1}, Case{{0, 1000}, 1000}, Case{{0, 1001}, 1000}, Case{{10, 20}, 20}, Case{{999, 1}, 1},
        Case{{990, 100}, 10}, Case{{500, std::nullopt}, 500}, Case{{1000, std::nullopt}, 0}, Case{{2000, 5}, 0},
        Case{{3, 0}, 0}, Case{{7, ~std::uint64_t{0}}, 993}}) {
    PatternSink sink{9, range.offset};
    EXPECT_TRUE(store().get({"data/a"}, range, [&](const ObjectHead& head) -> Sink& {
      EXPECT_EQ(head.size, 1000U);
      return sink;
    }));
    EXPECT_TRUE(sink.holds(size)) << range.offset << " " << range.length.value_or(0);
  }
}

TEST_P(ObjectStoreConformance, TakesEveryAllowedCharacterInKeys) {
  const std::string characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:+";
  std::vector<std::string> names{"json/backup-2026-11-23T22:40:25+00:00", "data/" + std::string(195, 'x'),
                                 "a/b/c/d/e/f", "one-segment"};
  for (std::size_t i = 0; i < characters.size(); ++i) {
    names.push_back(fmt::format("k/{}{}{}", i, characters[i], characters.substr(i)));
  }
  std::uint64_t seed = 0;
  for (const std::string& name : names) put_pattern(name, ++seed, 20);
  seed = 0;
  for (const std::string& name : names) {
    std::uint64_t found = 0;
    EXPECT_TRUE(is_whole_pattern(store(), name, &found)) << name;
    EXPECT_EQ(found, ++seed) << name;
    EXPECT_THAT(keys(name), testing::Contains(name));
  }
  std::ranges::sort(names);
  EXPECT_EQ(keys(), names);
}

TEST_P(ObjectStoreConformance, KeepsMetadata) {
  std::string printable;
  for (char c = '!'; c <= '~'; ++c) printable += c;
  const Metadata metadata{{"compression-algorithm", "zstd"},
                          {"encryption-key-id", "Key id, with spaces; and = signs"},
                          {"a", "1"},
                          {"digits-0123456789", printable}};
  MemorySource source{as_bytes("abc")};
  store().put({"data/a"}, source, metadata, PutMode::replace);
  EXPECT_EQ(store().head({"data/a"})->metadata, metadata);
  MemorySource nothing{{}};
  store().put({"data/b"}, nothing, {}, PutMode::replace);
  EXPECT_EQ(store().head({"data/b"})->metadata, Metadata{});
}

TEST_P(ObjectStoreConformance, ListsInByteOrder) {
  // '+' < '-' < '.' < '/' < '0' < ':' < 'A' < '_' < 'a': a folder is between the files around it.
  const std::vector<std::string> sorted{"a+", "a-", "a.x", "a/b", "a/b-", "a/b0/c", "a0", "a:", "aA", "a_", "aa", "b"};
  for (std::size_t i = 0; i < sorted.size(); ++i) put_pattern(sorted[(i * 7) % sorted.size()], i, i);
  EXPECT_EQ(keys(), sorted);
}

TEST_P(ObjectStoreConformance, ListsAPrefixAfterAKey) {
  for (const char* key : {"data/00", "data/0a", "data/0b", "data/1", "data2", "json/x"}) put_pattern(key, 1, 1);
  EXPECT_THAT(keys("data/"), ElementsAre("data/00", "data/0a", "data/0b", "data/1"));
  EXPECT_THAT(keys("data/0"), ElementsAre("data/00", "data/0a", "data/0b"));
  EXPECT_THAT(keys("data"), ElementsAre("data/00", "data/0a", "data/0b", "data/1", "data2"));
  EXPECT_THAT(keys("data/", "data/0a"), ElementsAre("data/0b", "data/1"));
  EXPECT_THAT(keys("data/", "data/0aa"), ElementsAre("data/0b", "data/1"));
  EXPECT_THAT(keys("", "data/1"), ElementsAre("data2", "json/x"));
  EXPECT_THAT(keys("json/", "data/1"), ElementsAre("json/x"));
  EXPECT_THAT(keys("data/", "data/1"), IsEmpty());
  EXPECT_THAT(keys("data/", "zzz"), IsEmpty());
  EXPECT_THAT(keys("nothing/"), IsEmpty());
}

TEST_P(ObjectStoreConformance, ListsManyObjectsInPagesWithSizesAndTimes) {
  constexpr std::size_t kCount = 2345;
  for (std::size_t i = 0; i < kCount; ++i) put_pattern(fmt::format("data/{:05}", i), i, i % 10);
  const auto oldest = system_clock().now() - std::chrono::hours{1};
  std::size_t next = 0;
  store().list("data/", "", [&](std::span<const ObjectInfo> page) {
    for (const ObjectInfo& info : page) {
      EXPECT_EQ(info.key.text, fmt::format("data/{:05}", next));
      EXPECT_EQ(info.size, next % 10);
      EXPECT_GT(info.modified, oldest);
      ++next;
    }
    return true;
  });
  EXPECT_EQ(next, kCount);

  std::string after;
  std::size_t listed = 0;
  for (std::size_t before = 1; before != listed;) {
    before = listed;
    int pages = 0;
    store().list("data/", after, [&](std::span<const ObjectInfo> page) {
      EXPECT_EQ(++pages, 1) << "a page after false";
      listed += page.size();
      after = page.back().key.text;
      return false;
    });
  }
  EXPECT_EQ(listed, kCount);
}

TEST_P(ObjectStoreConformance, ReplaceIsVisibleAtOnce) {
  auto other = another_handle();
  for (std::uint64_t version = 0; version < 20; ++version) {
    put_pattern("data/a", version, version * 100);
    std::uint64_t found = 0;
    EXPECT_TRUE(is_whole_pattern(*other, "data/a", &found));
    EXPECT_EQ(found, version);
    EXPECT_EQ(other->head({"data/a"})->size, version * 100);
  }
  EXPECT_THAT(keys(), ElementsAre("data/a"));
}

TEST_P(ObjectStoreConformance, IfAbsentKeepsWhatIsThere) {
  put_pattern("json/a", 1, 500, PutMode::if_absent);
  PatternSource source{2, 700};
  EXPECT_EQ(error_kind([&] {
              store().put({"json/a"}, source, {{"seed", "2"}, {"size", "700"}}, PutMode::if_absent);
            }),
            ErrorKind::already_exists);
  std::uint64_t found = 0;
  EXPECT_TRUE(is_whole_pattern(store(), "json/a", &found));
  EXPECT_EQ(found, 1U);
  const ObjectKey key{"json/a"};
  store().remove({&key, 1});
  put_pattern("json/a", 3, 10, PutMode::if_absent);
}

TEST_P(ObjectStoreConformance, RemovesManyObjectsAndPassesOverAbsentOnes) {
  std::vector<ObjectKey> all;
  for (int i = 0; i < 1100; ++i) {
    all.push_back({fmt::format("data/{:04}", i)});
    if (i % 2 == 0) put_pattern(all.back().text, 1, 3);
  }
  put_pattern("data/kept", 1, 3);
  store().remove(all);
  EXPECT_THAT(keys(), ElementsAre("data/kept"));
  expect_absent("data/0000");
}

}  // namespace
}  // namespace cherax::conformance
