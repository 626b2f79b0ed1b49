#include "repository/storages.h"

#include <gtest/gtest.h>

#include "repository/testing.h"

namespace cherax::repository {
namespace {

std::map<std::string, std::unique_ptr<storage::ObjectStore>> two_stores() {
  std::map<std::string, std::unique_ptr<storage::ObjectStore>> stores;
  stores.emplace("b", std::make_unique<storage::MemoryStore>());
  stores.emplace("a", std::make_unique<storage::MemoryStore>());
  return stores;
}

TEST(Storages, AreFoundByNameAndTheDefaultByNone) {
  const Storages storages{"b", two_stores(), testing::codec_options(), "/tmp", std::nullopt};
  EXPECT_EQ(storages.default_storage().name(), "b");
  EXPECT_EQ(storages.find("").name(), "b");
  EXPECT_EQ(storages.find("a").name(), "a");
  ASSERT_EQ(storages.all().size(), 2U);
  EXPECT_EQ(storages.all()[0]->name(), "a");
  EXPECT_EQ(testing::error_message([&] { storages.find("c"); }),
            "no storage is called \"c\"; the configuration has a, b");
}

}  // namespace
}  // namespace cherax::repository
