#include "storage/local/local_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <random>
#include <utility>

#include "base/file.h"
#include "storage/temporary_directory.h"

namespace cherax::storage {
namespace {

namespace fs = std::filesystem;

const ObjectKey kKey{"data/0a"};

class LocalStoreTest : public testing::Test {
 protected:
  void put(const ObjectKey& key, std::string_view text, const Metadata& metadata = {},
           PutMode mode = PutMode::replace) {
    MemorySource source{as_bytes(text)};
    store_.put(key, source, metadata, mode);
  }
  std::optional<std::string> get(const ObjectKey& key) {
    MemorySink sink{1024 * 1024};
    if (!store_.get(key, {}, [&](const ObjectHead&) -> Sink& { return sink; })) return std::nullopt;
    return std::string{as_text(sink.bytes())};
  }
  std::vector<std::string> list() {
    std::vector<std::string> keys;
    store_.list("", "", [&](std::span<const ObjectInfo> page) {
      for (const ObjectInfo& info : page) keys.push_back(info.key.text);
      return true;
    });
    return keys;
  }
  void expect_absent(const ObjectKey& key) {
    EXPECT_FALSE(store_.head(key));
    EXPECT_EQ(get(key), std::nullopt);
    EXPECT_TRUE(list().empty());
  }
  void write(const fs::path& name, std::string_view text) {
    fs::create_directories((directory_.path() / name).parent_path());
    std::ofstream{directory_.path() / name} << text;
  }
  std::size_t staged_files() const {
    std::error_code none;
    return std::distance(fs::directory_iterator{directory_.path() / ".cherax.tmp", none}, {});
  }

  TemporaryDirectory directory_;
  LocalStore store_{{.directory = directory_.path()}};
};

TEST_F(LocalStoreTest, LaysObjectsOutAsAstacusDoes) {
  put(kKey, "abc", {{"compression-algorithm", "zstd"}});
  EXPECT_EQ(read_text(directory_.path() / "data/0a", 100), "abc");
  EXPECT_EQ(read_text(directory_.path() / "data/0a.metadata", 1000),
            R"({"compression-algorithm":"zstd",)"
            R"("_hash":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","_size":3})");
  EXPECT_EQ(staged_files(), 0U);
}

TEST_F(LocalStoreTest, PutsAPrefixBeforeTheKey) {
  LocalStore store{{.directory = directory_.path() / "new", .prefix = "/a/b/"}};
  MemorySource source{as_bytes("x")};
  store.put(kKey, source, {}, PutMode::if_absent);
  EXPECT_TRUE(fs::exists(directory_.path() / "new/a/b/data/0a"));
  EXPECT_EQ(store.describe(), fmt::format("local:{}/new/a/b", directory_.path().string()));
}

TEST_F(LocalStoreTest, ReadsWhatAstacusStored) {
  write("data/0a", "abc");
  write("data/0a.metadata", R"({"encryption-key-id": "k", "_hash": "ba78"})");
  EXPECT_EQ(get(kKey), "abc");
  const auto head = store_.head(kKey);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->size, 3U);
  EXPECT_EQ(head->metadata, (Metadata{{"encryption-key-id", "k"}}));
  EXPECT_EQ(list(), std::vector<std::string>{"data/0a"});
  EXPECT_FALSE(fs::exists(directory_.path() / ".cherax.lock")) << "reading must work in a read-only directory";
}

TEST_F(LocalStoreTest, HalfAnObjectCountsAsAbsentAndIsStoredAgain) {
  const auto halve = [&](int how) {
    switch (how) {
      case 0:
        return write("data/0a", "abc");  // no metadata: a killed Astacus
      case 1:
        return write("data/0a.metadata", R"({"_size": 3})");
      case 2:  // a power failure that cut the object
        write("data/0a", "ab");
        return write("data/0a.metadata", R"({"_size": 3})");
      case 3:  // a power failure that emptied the metadata
        write("data/0a", "abc");
        return write("data/0a.metadata", "");
      default:
        write("data/0a", "abc");
        return write("data/0a.metadata", std::string(100'000, ' ') + "{}");
    }
  };
  for (int how = 0; how < 5; ++how) {
    halve(how);
    expect_absent(kKey);
    put(kKey, "whole", {}, PutMode::if_absent);
    EXPECT_EQ(get(kKey), "whole") << how;
    store_.remove({&kKey, 1});
    EXPECT_FALSE(fs::exists(directory_.path() / "data/0a") || fs::exists(directory_.path() / "data/0a.metadata"));
  }
}

TEST_F(LocalStoreTest, ListsNeitherReservedNamesNorWhatIsNoFile) {
  for (const char* name : {"data/.hidden", "data/.hidden.metadata", "data/x.metadata_tmp", ".cherax.tmp/y"}) {
    write(name, "");
    write(std::string{name} + ".metadata", "{}");
  }
  ASSERT_EQ(::mkfifo((directory_.path() / "data/fifo").c_str(), 0600), 0);
  write("data/fifo.metadata", "{}");
  EXPECT_TRUE(list().empty());
  EXPECT_EQ(get({"data/fifo"}), std::nullopt);
}

TEST_F(LocalStoreTest, SyncSweepsOnlyWhatWasAbandonedADayAgo) {
  put(kKey, "abc");
  write(".cherax.tmp/old", "x");
  write(".cherax.tmp/new", "x");
  const timespec times[2] = {{::time(nullptr) - 25 * 3600, 0}, {::time(nullptr) - 25 * 3600, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (directory_.path() / ".cherax.tmp/old").c_str(), times, 0), 0);
  store_.sync();
  EXPECT_FALSE(fs::exists(directory_.path() / ".cherax.tmp/old"));
  EXPECT_TRUE(fs::exists(directory_.path() / ".cherax.tmp/new"));
  EXPECT_EQ(get(kKey), "abc");
}

TEST_F(LocalStoreTest, ADirectoryThatIsNotThereIsAnEmptyStore) {
  LocalStore store{{.directory = directory_.path() / "none"}};
  EXPECT_FALSE(store.head(kKey));
  store.remove({&kKey, 1});
  store.sync();
  store.list("data/", "", [](std::span<const ObjectInfo>) {
    ADD_FAILURE();
    return true;
  });
  EXPECT_FALSE(fs::exists(directory_.path() / "none"));
}

TEST_F(LocalStoreTest, RefusesKeysThatLeaveTheDirectory) {
  EXPECT_THROW(put({"../x"}, "abc"), Error);
  EXPECT_THROW(store_.head({"/etc/passwd"}), Error);
  EXPECT_THROW(get({"data/../../x"}), Error);
}

/// Runs `work` in a process of its own and returns its wait status.
template <class Work>
int in_child(Work work) {
  const ::pid_t child = ::fork();
  if (child == 0) {
    bool good = false;
    try {
      good = work();
    } catch (const std::exception& error) {
      fmt::print(stderr, "{}\n", error.what());
    }
    ::_exit(good ? 0 : 1);
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

TEST_F(LocalStoreTest, AWriteThatTheSystemRefusesSaysSoAndLeavesNothing) {
  put(kKey, "old");
  // A limit on the file size stands for a full disk: both are an errno of write(2).
  EXPECT_EQ(in_child([&] {
              std::signal(SIGXFSZ, SIG_IGN);
              const rlimit limit{4096, 4096};
              ::setrlimit(RLIMIT_FSIZE, &limit);
              try {
                put(kKey, std::string(10'000, 'x'));
              } catch (const Error& error) {
                const auto expected =
                    fmt::format("storing data/0a in local:{0}: writing {0}/.cherax.tmp/", directory_.path().string());
                return error.message().starts_with(expected) && error.message().ends_with(": File too large");
              }
              return false;
            }),
            0);
  EXPECT_EQ(get(kKey), "old");
  EXPECT_EQ(staged_files(), 0U);
}

/// Kills this process with SIGKILL after `delay`, wherever it is then.
void kill_after(std::chrono::nanoseconds delay) {
  ::sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGKILL;
  ::timer_t timer{};
  const ::itimerspec when{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_nsec = delay.count()}};
  if (::timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 || ::timer_settime(timer, 0, &when, nullptr) != 0) {
    ::_exit(2);
  }
}

TEST_F(LocalStoreTest, AKilledWriterLeavesEachObjectWholeOrAbsent) {
  std::mt19937 random{20261124};
  const std::vector<ObjectKey> keys{{"data/a"}, {"data/b"}, {"json/c"}};
  int whole = 0;
  for (int run = 0; run < 100; ++run) {
    const auto seed = static_cast<unsigned>(random());
    const auto delay = std::chrono::microseconds{std::uniform_int_distribution{1, 5000}(random)};
    const int status = in_child([&] {
      std::mt19937 child_random{seed};
      for (bool armed = false;;) {
        const char letter = static_cast<char>('a' + child_random() % 26);
        const std::string text(child_random() % 3 * 30'000, letter);  // often the same size with other metadata
        const auto mode = child_random() % 4 == 0 ? PutMode::if_absent : PutMode::replace;
        try {
          put(keys[child_random() % keys.size()], text, {{"letter", {letter}}}, mode);
        } catch (const Error& error) {
          if (error.kind() != ErrorKind::already_exists) throw;
        }
        // From the first put on: a slow machine may need longer than the delay to come that far.
        if (!std::exchange(armed, true)) kill_after(delay);
        if (child_random() % 5 == 0) store_.remove({&keys[child_random() % keys.size()], 1});
      }
      return false;
    });
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    for (const ObjectKey& key : keys) {
      const auto head = store_.head(key);
      const auto text = get(key);
      ASSERT_EQ(head.has_value(), text.has_value());
      if (!head) continue;
      ++whole;
      ASSERT_EQ(*text, std::string(head->size, head->metadata.at("letter")[0]));
    }
    ASSERT_EQ(list().size(), static_cast<std::size_t>(std::ranges::count_if(
                                 keys, [&](const ObjectKey& key) { return store_.head(key).has_value(); })));
  }
  EXPECT_GT(whole, 0);
  for (const ObjectKey& key : keys) put(key, "again");
  EXPECT_EQ(list().size(), keys.size());
}

}  // namespace
}  // namespace cherax::storage
