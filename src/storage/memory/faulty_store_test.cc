#include "storage/memory/faulty_store.h"

#include <gtest/gtest.h>

#include "storage/memory/memory_store.h"

namespace cherax::storage {
namespace {

TEST(FaultyStore, FailsTheChosenOperationAndChangesTheChosenBytes) {
  MemoryStore inner;
  FaultyStore store{inner,
                    {.before =
                         [](FaultyStore::Operation operation, const std::string& key) {
                           if (operation == FaultyStore::Operation::put && key == "bad") {
                             fail(ErrorKind::throttled, "slow down");
                           }
                         },
                     .alter = [](const std::string&, Bytes& stored) { stored[0] = std::byte{'X'}; }}};
  MemorySource source{as_bytes("abc")};
  EXPECT_THROW(store.put({"bad"}, source, {}, PutMode::replace), Error);
  EXPECT_EQ(store.put({"good"}, source, {}, PutMode::replace), 3U);
  MemorySink sink{10};
  EXPECT_TRUE(store.get({"good"}, {}, [&](const ObjectHead&) -> Sink& { return sink; }));
  EXPECT_EQ(as_text(sink.bytes()), "Xbc");
  EXPECT_FALSE(store.head({"bad"}));
}

}  // namespace
}  // namespace cherax::storage
