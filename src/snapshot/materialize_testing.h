#pragma once

// For the tests of the Materializer only.

#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/manual_clock.h"
#include "snapshot/hash.h"
#include "snapshot/materialize.h"
#include "snapshot/testing.h"

namespace cherax::snapshot::testing {

inline constexpr auto kTime = Directory::kLongAgo_ns;
inline const std::string kLarge(1000, 'l');
inline const std::string kLarger(300'000, 'm');

inline Digest digest_of_text(std::string_view text) { return digest_of_bytes(as_bytes(text)); }

/// Contents by digest, as an object storage has them.
class Repository {
 public:
  SnapshotFile keep(std::string path, const std::string& content, std::int64_t mtime_ns = kTime) {
    const auto digest = digest_of_text(content);
    contents_[digest] = content;
    return {std::move(path), content.size(), mtime_ns, digest};
  }
  static SnapshotFile embed(std::string path, std::string_view content, std::int64_t mtime_ns = kTime) {
    const auto bytes = as_bytes(content);
    return {std::move(path), content.size(), mtime_ns, Bytes{bytes.begin(), bytes.end()}};
  }
  void falsify(const std::string& content, std::string other) { contents_[digest_of_text(content)] = std::move(other); }

  Materializer::Fetch fetch() {
    return [this](const Digest& digest, std::uint64_t size, Sink& sink) {
      {
        std::scoped_lock lock{mutex_};
        fetched_.push_back(size);
      }
      if (before_) before_(digest);
      MemorySource source{as_bytes(contents_.at(digest))};
      pump(source, sink);
    };
  }
  /// The sizes, in the order of the calls.
  std::vector<std::uint64_t> take_fetched() { return std::exchange(fetched_, {}); }
  void before_each(std::function<void(const Digest&)> before) { before_ = std::move(before); }

 private:
  std::map<Digest, std::string> contents_;
  std::function<void(const Digest&)> before_;
  std::mutex mutex_;
  std::vector<std::uint64_t> fetched_;
};

class MaterializeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.root = root_.path();
    options_.globs = {"**"};
    options_.sync = false;  // slow on a busy disk
  }

  void compare(const std::vector<SnapshotFile>& files) {
    materializer_.reset();
    materializer_.emplace(options_, index_, clock_);
    for (const auto& file : files) materializer_->want(file);
    materializer_->compare(progress_, stop_.get_token());
  }
  void restore(const std::vector<SnapshotFile>& files) {
    compare(files);
    materializer_->restore(repository_.fetch(), progress_, stop_.get_token());
  }
  Error error_of_restoring(const std::vector<SnapshotFile>& files) {
    return error_of([&] { restore(files); });
  }
  std::vector<std::string> temporary_files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{root_.path()}) {
      if (is_temporary_name(entry.path().filename().string())) names.push_back(entry.path().string());
    }
    return names;
  }
  void expect_progress_is_complete(std::uint64_t files, std::uint64_t bytes) const {
    EXPECT_EQ(progress_.files_total, files);
    EXPECT_EQ(progress_.files_done, files);
    EXPECT_EQ(progress_.bytes_total, bytes);
    EXPECT_EQ(progress_.bytes_done, bytes);
  }

  Directory root_;
  Directory database_;
  ManualClock clock_;
  Index index_{database_ / "cherax_index.db"};
  Repository repository_;
  MaterializerOptions options_;
  Progress progress_;
  std::stop_source stop_;
  std::optional<Materializer> materializer_;
};

}  // namespace cherax::snapshot::testing
