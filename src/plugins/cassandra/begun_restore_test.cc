#include "plugins/cassandra/begun_restore.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugins/cassandra/extension_for_tests.h"

namespace cherax::plugins::cassandra {
namespace {

using namespace test;
using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr const char* kSuffix = ".before-backup-1";
constexpr Duration kStopTime = 300s;

/// A node that a restore has cleared, started, and stopped again.
class BegunRestoreTest : public ExtensionTest {
 protected:
  BegunRestoreTest() {
    write(log(), "of the restore");
    marker_.write({.suffix = kSuffix, .cleared = true, .inodes = inodes_of(directories_.all())});
  }
  ~BegunRestoreTest() override {
    if (process_ == 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }

  fs::path log() const { return path("commitlog/CommitLog-7-1.log"); }
  BegunRestore begun() const { return marker_.read().value(); }
  bool is_alone() const { return marker_.is_alone(begun(), directories_); }
  /// So long after the marker was written a file of the commit log gets there.
  void write_log(Duration later, const std::string& name = "CommitLog-7-2.log") const {
    write(path("commitlog") / name, "x");
    fs::last_write_time(path("commitlog") / name, fs::last_write_time(path("db/restore")) +
                                                      std::chrono::duration_cast<fs::file_time_type::duration>(later));
  }
  /// A process with a file of the node open and these arguments.
  void run_in_data(const fs::path& argument) {
    process_ = ::fork();
    if (process_ != 0) {
      while (text(fmt::format("/proc/{}/comm", process_)) != "tail\n") ::usleep(1000);
      while (::cherax::cassandra::find_file_holders(directories_.all()).empty()) ::usleep(1000);
      return;
    }
    ::execlp("tail", "tail", "-f", log().c_str(), argument.c_str(), nullptr);
    ::_exit(1);
  }

  ::cherax::cassandra::Directories directories_ =
      ::cherax::cassandra::resolve_directories(::cherax::cassandra::load_configuration(path("cassandra.yaml")), {});
  RestoreMarker marker_{path("db/restore"), path("db/cassandra.yaml"), kStopTime};
  ::pid_t process_ = 0;
};

TEST_F(BegunRestoreTest, IsReadAsItWasWritten) {
  EXPECT_EQ(begun().suffix, kSuffix);
  EXPECT_TRUE(begun().cleared);
  EXPECT_EQ(begun().inodes, inodes_of(directories_.all()));
  marker_.remove();
  EXPECT_FALSE(marker_.read());
  write(path("db/restore"), "of somebody else");
  try {
    marker_.read();
    ADD_FAILURE() << "it was read";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr(path("db/restore").string()));
  }
}

TEST_F(BegunRestoreTest, IsAloneAsLongAsNobodyDoesAnything) { EXPECT_TRUE(is_alone()); }

TEST_F(BegunRestoreTest, IsNotAloneWhenCassandraWasStartedSince) {
  write_log(1ms);
  EXPECT_FALSE(is_alone());
}

// The old data is back.
TEST_F(BegunRestoreTest, IsNotAloneWhenADirectoryWasReplaced) {
  fs::rename(data(), path("root/data.failed"));
  fs::create_directory(data());
  EXPECT_FALSE(is_alone());
}

TEST_F(BegunRestoreTest, ADirectoryThatIsGoneOrNewIsNobodys) {
  fs::remove_all(path("hints"));
  fs::create_directory(path("cdc_raw"));
  EXPECT_TRUE(is_alone());
}

TEST_F(BegunRestoreTest, WhatTheRestoreItselfHasStartedIsItsOwn) {
  write(path("db/cassandra.yaml"), "edited");
  write_log(1h);
  run_in_data(path("db/cassandra.yaml"));
  EXPECT_TRUE(is_alone());
}

TEST_F(BegunRestoreTest, WhatRunsWithItsOwnConfigurationIsNot) {
  write_log(1h);
  run_in_data(path("cassandra.yaml"));
  EXPECT_FALSE(is_alone());
}

// A shell in the directory, a log shipper.
TEST_F(BegunRestoreTest, AProcessThatOnlyLooksChangesNothing) {
  run_in_data(path("cassandra.yaml"));
  EXPECT_TRUE(is_alone());
}

TEST_F(BegunRestoreTest, AStopThatWasKilledMayHaveWrittenAsLongAsItMayTake) {
  auto stopping = begun();
  stopping.stopping = true;
  marker_.write(stopping);
  write_log(kStopTime);
  EXPECT_TRUE(is_alone());
  write_log(kStopTime + 1ms);
  EXPECT_FALSE(is_alone());
}

TEST_F(BegunRestoreTest, OnceGivenUpItStaysSo) {
  auto given_up = begun();
  given_up.given_up = true;
  marker_.write(given_up);
  EXPECT_FALSE(is_alone());
}

}  // namespace
}  // namespace cherax::plugins::cassandra
