#include "conformance/object_store_suite.h"

namespace cherax::conformance {

using namespace storage;

namespace {

/// Of no type that a store knows: it has to come through as it is.
struct Interruption {
  int number;
};

class InterruptedSource final : public Source {
 public:
  InterruptedSource(std::uint64_t seed, std::uint64_t size) : inner_(seed, size) {}
  std::size_t read(MutableByteView buffer) override {
    const std::size_t size = inner_.read(buffer);
    if (size == 0) throw Interruption{7};
    return size;
  }

 private:
  PatternSource inner_;
};

class InterruptedSink final : public Sink {
 public:
  explicit InterruptedSink(std::uint64_t size) : left_(size) {}
  void write(ByteView bytes) override {
    if (bytes.size() > left_) throw Interruption{8};
    left_ -= bytes.size();
  }
  void finish() override { throw Interruption{9}; }

 private:
  std::uint64_t left_;
};

template <class Work>
int interruption(Work&& work) {
  try {
    work();
  } catch (const Interruption& caught) {
    return caught.number;
  }
  return 0;
}

constexpr std::uint64_t kPlaces[] = {0, 1, 100'000, 12 * 1024 * 1024};

TEST_P(ObjectStoreConformance, ASourceThatThrowsLeavesNothing) {
  for (const std::uint64_t place : kPlaces) {
    InterruptedSource source{1, place};
    EXPECT_EQ(interruption([&] { store().put({"data/a"}, source, {{"a", "b"}}, PutMode::if_absent); }), 7) << place;
    expect_absent("data/a");
  }
  put_pattern("data/a", 1, 10, PutMode::if_absent);
}

TEST_P(ObjectStoreConformance, ASourceThatThrowsLeavesTheOldObject) {
  put_pattern("data/a", 1, 5000);
  for (const std::uint64_t place : kPlaces) {
    InterruptedSource source{2, place};
    EXPECT_EQ(interruption([&] { store().put({"data/a"}, source, {{"a", "b"}}, PutMode::replace); }), 7) << place;
    EXPECT_TRUE(is_whole_pattern(store(), "data/a"));
  }
}

TEST_P(ObjectStoreConformance, AnErrorOfTheSourceComesThroughAsItIs) {
  class Changed final : public Source {
    std::size_t read(MutableByteView) override { fail(ErrorKind::corrupt, "the file changed"); }
  } source;
  try {
    store().put({"data/a"}, source, {}, PutMode::replace);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::corrupt);
    EXPECT_EQ(error.message(), "the file changed");
  }
  expect_absent("data/a");
}

TEST_P(ObjectStoreConformance, ASinkThatThrowsEndsTheReadWithItsException) {
  constexpr std::uint64_t kSize = 12 * 1024 * 1024 + 1;
  put_pattern("data/a", 1, kSize);
  for (const std::uint64_t place : kPlaces) {
    InterruptedSink sink{place};
    EXPECT_EQ(interruption([&] { store().get({"data/a"}, {}, [&](const ObjectHead&) -> Sink& { return sink; }); }), 8);
  }
  InterruptedSink at_the_end{kSize};
  EXPECT_EQ(interruption([&] { store().get({"data/a"}, {}, [&](const ObjectHead&) -> Sink& { return at_the_end; }); }),
            9);
  EXPECT_EQ(
      interruption([&] { store().get({"data/a"}, {}, [](const ObjectHead&) -> Sink& { throw Interruption{3}; }); }), 3);
  EXPECT_TRUE(is_whole_pattern(store(), "data/a")) << "the store works on";
}

TEST_P(ObjectStoreConformance, APageFunctionThatThrowsEndsTheListing) {
  put_pattern("data/a", 1, 1);
  EXPECT_EQ(
      interruption([&] { store().list("", "", [](std::span<const ObjectInfo>) -> bool { throw Interruption{4}; }); }),
      4);
}

}  // namespace
}  // namespace cherax::conformance
