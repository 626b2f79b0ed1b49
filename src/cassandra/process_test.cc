#include "cassandra/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "base/error.h"
#include "base/file.h"

namespace cherax::cassandra {
namespace {

namespace fs = std::filesystem;

/// A socket bound to a free port of the loopback interface.
class Listener {
 public:
  explicit Listener(int family) : descriptor_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    ::sockaddr_storage address{};
    address.ss_family = static_cast<::sa_family_t>(family);
    if (family == AF_INET)
      reinterpret_cast<::sockaddr_in&>(address).sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
      reinterpret_cast<::sockaddr_in6&>(address).sin6_addr = in6addr_loopback;
    ::socklen_t size = sizeof address;
    EXPECT_EQ(::bind(descriptor_, reinterpret_cast<::sockaddr*>(&address),
                     family == AF_INET ? sizeof(::sockaddr_in) : sizeof(::sockaddr_in6)),
              0);
    ::getsockname(descriptor_, reinterpret_cast<::sockaddr*>(&address), &size);
    port_ = ntohs(family == AF_INET ? reinterpret_cast<::sockaddr_in&>(address).sin_port
                                    : reinterpret_cast<::sockaddr_in6&>(address).sin6_port);
  }
  ~Listener() { ::close(descriptor_); }
  void listen(int backlog = 1) { ::listen(descriptor_, backlog); }
  std::uint16_t port() const { return port_; }

 private:
  int descriptor_;
  std::uint16_t port_;
};

TEST(Process, PortIsListeningOrNot) {
  for (const auto& [family, address] : {std::pair{AF_INET, "127.0.0.1"}, std::pair{AF_INET6, "::1"}}) {
    Listener listener{family};
    EXPECT_FALSE(is_listening(address, listener.port()));
    listener.listen();
    EXPECT_TRUE(is_listening(address, listener.port()));
  }
  EXPECT_THROW(is_listening("192.0.2.1.invalid", 1), Error);
}

TEST(Process, APortOfANameIsListeningOnOneOfItsAddresses) {
  Listener listener{AF_INET};
  EXPECT_FALSE(is_listening("localhost", listener.port()));
  listener.listen();
  EXPECT_TRUE(is_listening("localhost", listener.port()));
}

/// A listener that takes no more connections: what else comes to its port is dropped.
class FullListener : public Listener {
 public:
  FullListener() : Listener(AF_INET) {
    listen(0);
    for (bool taken = true; taken;) {
      const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      waiting_.push_back(descriptor);
      ::sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      address.sin_port = htons(port());
      static_cast<void>(::connect(descriptor, reinterpret_cast<::sockaddr*>(&address), sizeof address));
      ::pollfd waiting{descriptor, POLLOUT, 0};
      taken = ::poll(&waiting, 1, 100) == 1;
    }
  }
  ~FullListener() {
    for (const int descriptor : waiting_) ::close(descriptor);
  }

 private:
  std::vector<int> waiting_;
};

TEST(Process, APortThatDoesNotAnswerIsAnErrorThatNamesIt) {
  const FullListener listener;
  for (const char* host : {"127.0.0.1", "localhost"}) {
    try {
      is_listening(host, listener.port());
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::transient);
      EXPECT_NE(error.message().find(fmt::format("127.0.0.1:{}", listener.port())), std::string::npos)
          << error.message();
    }
  }
}

class FileHolders : public ::testing::Test {
 protected:
  FileHolders() {
    std::string pattern = ::testing::TempDir() + "process-XXXXXX";
    root_ = fs::canonical(::mkdtemp(pattern.data()));
    for (const char* name : {"data", "data2", "elsewhere"}) {
      fs::create_directory(root_ / name);
      std::ofstream{root_ / name / "file"} << "content";
    }
    fs::create_directory_symlink(root_ / "data", root_ / "link");
  }
  ~FileHolders() override { fs::remove_all(root_); }

  /// A child that has done `prepare` and waits; killed at the end of the test.
  class Child {
   public:
    template <class Prepare>
    explicit Child(Prepare prepare) {
      std::array<int, 2> ready{};
      if (::pipe(ready.data()) != 0) throw std::runtime_error("pipe");
      pid_ = ::fork();
      if (pid_ == 0) {
        prepare();
        if (::write(ready[1], "x", 1) != 1) ::_exit(1);
        for (;;) ::pause();
      }
      char byte = 0;
      EXPECT_EQ(::read(ready[0], &byte, 1), 1);
      ::close(ready[0]);
      ::close(ready[1]);
    }
    ~Child() {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    int pid() const { return pid_; }

   private:
    int pid_;
  };

  std::optional<FileHolder> holder(int pid, const std::vector<fs::path>& directories) {
    for (const FileHolder& one : find_file_holders(directories)) {
      if (one.pid == pid) return one;
    }
    return std::nullopt;
  }

  fs::path root_;
};

TEST_F(FileHolders, OpenFileIsFound) {
  const auto file = root_ / "data" / "file";
  const Child child{[&] { ::open(file.c_str(), O_RDONLY); }};
  ASSERT_TRUE(holder(child.pid(), {root_ / "data"}));
  EXPECT_EQ(holder(child.pid(), {root_ / "data"})->path, file);
  EXPECT_FALSE(holder(child.pid(), {root_ / "data"})->command.empty());
  EXPECT_TRUE(holder(child.pid(), {root_ / "missing", root_ / "link"}));
  EXPECT_FALSE(holder(child.pid(), {root_ / "data2", root_ / "elsewhere", root_ / "dat"}));
}

TEST_F(FileHolders, MappedFileIsFoundAfterItsDescriptorIsClosed) {
  const auto file = root_ / "data" / "file";
  const Child child{[&] {
    const int descriptor = ::open(file.c_str(), O_RDONLY);
    if (::mmap(nullptr, 7, PROT_READ, MAP_SHARED, descriptor, 0) == MAP_FAILED) ::_exit(1);
    ::close(descriptor);
  }};
  EXPECT_TRUE(holder(child.pid(), {root_ / "data"}));
}

TEST_F(FileHolders, DeletedFileAndWorkingDirectoryAreFound) {
  const auto file = root_ / "data" / "file";
  const Child child{[&] {
    ::open(file.c_str(), O_RDONLY);
    ::unlink(file.c_str());
  }};
  EXPECT_TRUE(holder(child.pid(), {root_ / "data"}));
  const Child other{[&] {
    if (::chdir((root_ / "data2").c_str()) != 0) ::_exit(1);
  }};
  EXPECT_TRUE(holder(other.pid(), {root_ / "data2"}));
}

TEST_F(FileHolders, ThisProcessDoesNotCount) {
  File file{root_ / "data" / "file", O_RDONLY};
  EXPECT_TRUE(find_file_holders({root_ / "data"}).empty());
}

TEST_F(FileHolders, SignOfLifeNamesPortOrProcess) {
  Listener listener{AF_INET};
  NodeTraces traces{{{"127.0.0.1", listener.port(), "JMX port"}}, {root_ / "data"}};
  EXPECT_EQ(sign_of_life(traces), std::nullopt);
  {
    const auto file = root_ / "data" / "file";
    const Child child{[&] { ::open(file.c_str(), O_RDONLY); }};
    const auto sign = sign_of_life(traces);
    ASSERT_TRUE(sign);
    EXPECT_TRUE(sign->starts_with("process " + std::to_string(child.pid()))) << *sign;
    EXPECT_TRUE(sign->ends_with(file.string() + " open")) << *sign;
  }
  listener.listen();
  EXPECT_EQ(sign_of_life(traces), "the JMX port 127.0.0.1:" + std::to_string(listener.port()) + " is open");
}

/// Time passes only by sleeping.
class FakeClock final : public Clock {
 public:
  Timestamp now() override { return {}; }
  SteadyTime steady() override { return time_; }
  bool sleep_for(Duration duration, std::stop_token stop) override {
    time_ += duration;
    return !stop.stop_requested();
  }

 private:
  SteadyTime time_{};
};

using Sign = std::optional<std::string>;

TEST(WaitUntilStopped, NeedsQuietForTheWholeTime) {
  FakeClock clock;
  const SteadyTime start = clock.steady();
  // Quiet from second 2 to 4, a late restart at 5, quiet from 6 on.
  const auto sign = [&]() -> Sign {
    const auto second = std::chrono::duration_cast<std::chrono::seconds>(clock.steady() - start).count();
    return second < 2 || second == 5 ? Sign{"alive"} : std::nullopt;
  };
  wait_until_stopped(sign, std::chrono::seconds{5}, clock, Deadline::at(start + std::chrono::seconds{60}), {});
  EXPECT_EQ(clock.steady() - start, std::chrono::seconds{11});
}

TEST(WaitUntilStopped, SaysAtTheDeadlineWhatStillLives) {
  FakeClock clock;
  try {
    wait_until_stopped([] { return Sign{"the JMX port is open"}; }, std::chrono::seconds{5}, clock,
                       Deadline::at(clock.steady() + std::chrono::seconds{30}), {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::transient);
    EXPECT_EQ(error.message(), "Cassandra is not stopped: the JMX port is open");
  }
}

TEST(WaitUntilStopped, WhatCannotBeSeenNowIsLookedAtAgain) {
  FakeClock clock;
  const SteadyTime start = clock.steady();
  const auto sign = [&]() -> Sign {
    if (clock.steady() - start < std::chrono::seconds{3}) fail(ErrorKind::transient, "the port does not answer");
    return std::nullopt;
  };
  wait_until_stopped(sign, std::chrono::seconds{5}, clock, Deadline::at(start + std::chrono::seconds{60}), {});
  EXPECT_EQ(clock.steady() - start, std::chrono::seconds{8});
}

TEST(WaitUntilStopped, CanBeCancelled) {
  FakeClock clock;
  std::stop_source stop;
  stop.request_stop();
  try {
    wait_until_stopped([] { return Sign{"alive"}; }, std::chrono::seconds{5}, clock,
                       Deadline::at(clock.steady() + std::chrono::hours{1}), stop.get_token());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::cancelled);
  }
}

}  // namespace
}  // namespace cherax::cassandra
