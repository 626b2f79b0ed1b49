#include "conformance/object_store_suite.h"
#include "storage/local/local_store.h"
#include "storage/memory/memory_store.h"
#include "storage/temporary_directory.h"

namespace cherax::conformance {

namespace {

std::shared_ptr<storage::ObjectStore> open_memory(const std::string& space) {
  static std::map<std::string, std::shared_ptr<storage::ObjectStore>> spaces;
  auto& store = spaces[space];
  if (!store) store = std::make_shared<storage::MemoryStore>();
  return store;
}

std::shared_ptr<storage::ObjectStore> open_local(const std::string& space) {
  static const storage::TemporaryDirectory directory;
  return std::make_shared<storage::LocalStore>(
      storage::LocalOptions{.directory = directory.path() / "store", .prefix = space});
}

}  // namespace

const std::vector<StoreUnderTest>& stores_under_test() {
  static const std::vector<StoreUnderTest> stores{
      {"memory", open_memory},
      {"local", open_local},
  };
  return stores;
}

}  // namespace cherax::conformance
