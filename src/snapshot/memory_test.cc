// The thread sanitizer has an operator new of its own that cannot be replaced: under it there is nothing here.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CHERAX_THREAD_SANITIZER
#endif
#endif

#ifndef CHERAX_THREAD_SANITIZER

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "base/file.h"
#include "base/manual_clock.h"
#include "snapshot/materialize.h"
#include "snapshot/snapshotter.h"
#include "snapshot/testing.h"

// Counts what the C++ code of this program has allocated: unlike the RSS, this does not depend on the allocator, on
// sanitizers or on other processes. Each block has its size in front of it.
namespace {

std::atomic<std::size_t> live_bytes{0};
std::atomic<std::size_t> peak_bytes{0};

constexpr std::size_t kHeader = alignof(std::max_align_t);

void* allocate(std::size_t size) {
  auto* block = static_cast<std::byte*>(std::malloc(size + kHeader));
  if (!block) throw std::bad_alloc{};
  *reinterpret_cast<std::size_t*>(block) = size;
  const auto live = live_bytes += size;
  for (auto peak = peak_bytes.load(); live > peak && !peak_bytes.compare_exchange_weak(peak, live);) {
  }
  return block + kHeader;
}

void release(void* memory) {
  if (!memory) return;
  auto* block = static_cast<std::byte*>(memory) - kHeader;
  live_bytes -= *reinterpret_cast<std::size_t*>(block);
  std::free(block);
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }

namespace cherax::snapshot {
namespace {

constexpr int kFiles = 100'000;

struct Peak {
  std::size_t cpp = 0;
  std::size_t sqlite = 0;
};

/// What `work` needs on top of what was there.
Peak peak_of(const std::function<void()>& work) {
  const auto before = live_bytes.load();
  peak_bytes = before;
  ::sqlite3_memory_highwater(1);
  const auto sqlite_before = static_cast<std::size_t>(::sqlite3_memory_used());
  work();
  return {peak_bytes - before, static_cast<std::size_t>(::sqlite3_memory_highwater(0)) - sqlite_before};
}

/// In `present` are four of five of them.
void make_files(const testing::Directory& root, const testing::Directory& present) {
  for (int i = 0; i < kFiles; ++i) {
    const auto directory = std::to_string(i / 1000);
    if (i % 1000 == 0) {
      std::filesystem::create_directories(root / directory);
      std::filesystem::create_directories(present / directory);
    }
    const auto path = fmt::format("{}/{}-big-Data.db", directory, i);
    File file{root / path, O_WRONLY | O_CREAT};
    file.write(as_bytes(fmt::format("{}{}", i, std::string(i % 3 == 0 ? 0 : 240, 'x'))));
    if (i % 5 != 0) std::filesystem::create_hard_link(root / path, present / path);
  }
}

// In C++ 10 bytes for a file: not even its digest can be kept. SQLite has three databases open.
constexpr std::size_t kCppLimit = 1024 * 1024;
constexpr std::size_t kSqliteLimit = 16 * 1024 * 1024;

TEST(SnapshotMemory, DoesNotGrowWithTheNumberOfFiles) {
  const testing::Directory root{"/dev/shm"};
  const testing::Directory target{"/dev/shm"};
  const testing::Directory database{"/dev/shm"};
  make_files(root, target);
  ManualClock clock;
  clock.advance(std::chrono::hours{24 * 365 * 20});  // all files have settled
  const std::vector<Group> groups{{.root_glob = "**"}};
  Snapshotter snapshotter{{root.path(), root.path(), database / "a.db", 2}, clock};

  const auto taking = peak_of([&] {
    for (const std::uint64_t read : {kFiles, 0}) {
      Progress progress;
      const auto totals = snapshotter.take(groups, progress, {});
      EXPECT_EQ(totals.files, kFiles);
      EXPECT_EQ(totals.files_read, read);
    }
  });
  EXPECT_LT(taking.cpp, kCppLimit);
  EXPECT_LT(taking.sqlite, kSqliteLimit);

  const auto restoring = peak_of([&] {
    Index index{database / "b.db"};
    Materializer materializer{{.root = target.path(), .globs = {"**"}, .workers = 2}, index, clock};
    snapshotter.for_each([&](const SnapshotFile& file) { materializer.want(file); });
    Progress progress;
    materializer.compare(progress, {});
    EXPECT_EQ(materializer.required_space().size(), 1);
    const auto fetch = [&](const Digest& digest, std::uint64_t, Sink& sink) {
      snapshotter.find(digest, [&](const FrozenFile& frozen) {
        File file{frozen.link, O_RDONLY};
        FileSource source{file};
        pump(source, sink);
        return true;
      });
    };
    materializer.restore(fetch, progress, {});
    EXPECT_EQ(progress.files_done, kFiles);
  });
  EXPECT_LT(restoring.cpp, kCppLimit);
  EXPECT_LT(restoring.sqlite, kSqliteLimit);
}

}  // namespace
}  // namespace cherax::snapshot

#endif
