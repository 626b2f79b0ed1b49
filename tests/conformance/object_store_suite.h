#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "conformance/pattern.h"
#include "storage/object_store.h"

/// What every object store has to do, whatever it stands on (src/storage/object_store.h).
namespace cherax::conformance {

/// A way to open a store. Each `space` is a name space of its own, empty when it is first opened; handles opened for
/// the same space see the same objects.
struct StoreUnderTest {
  std::string name;
  std::function<std::shared_ptr<storage::ObjectStore>(const std::string& space)> open;
};

inline void PrintTo(const StoreUnderTest& store, std::ostream* out) { *out << store.name; }

/// One line a store, in stores.cc.
const std::vector<StoreUnderTest>& stores_under_test();

class ObjectStoreConformance : public testing::TestWithParam<StoreUnderTest> {
 protected:
  ObjectStoreConformance();

  /// A new handle to the space of this test.
  std::shared_ptr<storage::ObjectStore> another_handle() const { return GetParam().open(space_); }
  storage::ObjectStore& store() { return *store_; }

  /// `size` bytes of the pattern `seed`, both also in the metadata.
  void put_pattern(const std::string& key, std::uint64_t seed, std::uint64_t size,
                   storage::PutMode mode = storage::PutMode::replace);
  /// Whether the object is there, whole, and as its own metadata says; optionally of which seed.
  static bool is_whole_pattern(storage::ObjectStore& store, const std::string& key,
                               std::uint64_t* found_seed = nullptr);

  void expect_absent(const std::string& key);
  std::vector<std::string> keys(const std::string& prefix = "", const std::string& after = "");
  /// Error's kind, or nullopt when `work` threw none.
  template <class Work>
  static std::optional<ErrorKind> error_kind(Work&& work) {
    try {
      work();
    } catch (const Error& error) {
      return error.kind();
    }
    return std::nullopt;
  }

  std::string space_;
  std::shared_ptr<storage::ObjectStore> store_;
};

}  // namespace cherax::conformance
