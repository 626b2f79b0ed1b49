#include "base/command.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "base/file.h"

namespace cherax {
namespace {

using namespace std::chrono_literals;

Command shell(const std::string& script) { return {{"/bin/sh", "-c", script}, {"PATH=/usr/bin:/bin", "NAME=value"}}; }

Deadline soon() { return Deadline::in(60s); }

/// The Error, which must come.
Error failure(const Command& command, Deadline deadline = soon(), std::stop_token stop = {}) {
  try {
    run_command_checked(command, deadline, std::move(stop));
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return {};
}

bool is_running(int pid) {
  // A zombie has ended, whoever has not waited for it.
  std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
  std::string text;
  std::getline(file, text);
  const auto state = text.rfind(") ");
  return state != std::string::npos && text[state + 2] != 'Z';
}

/// The kernel ends a killed process a moment later.
bool ends_soon(int pid) {
  const Deadline deadline = soon();
  while (is_running(pid) && !deadline.passed()) std::this_thread::yield();
  return !is_running(pid);
}

TEST(Command, OutputOfBothStreamsComesBack) {
  const auto result = run_command(shell("echo out; echo err >&2"), soon());
  EXPECT_TRUE(result.succeeded());
  EXPECT_EQ(result.output, "out\nerr\n");
  EXPECT_FALSE(result.output_cut);
}

TEST(Command, ArgumentsAreNotForAShell) {
  EXPECT_EQ(run_command({{"/bin/echo", "a b", "$HOME", "*", ""}, {}}, soon()).output, "a b $HOME * \n");
}

TEST(Command, EnvironmentIsExactlyWhatWasGiven) {
  EXPECT_EQ(run_command({{"/usr/bin/env"}, {"A=1", "B=x y"}}, soon()).output, "A=1\nB=x y\n");
  ::setenv("CHERAX_COMMAND_TEST", "1", 1);
  const auto environment = current_environment();
  EXPECT_NE(std::ranges::find(environment, "CHERAX_COMMAND_TEST=1"), environment.end());
}

TEST(Command, StandardInputIsEmpty) { EXPECT_EQ(run_command({{"/bin/cat"}, {}}, soon()).output, ""); }

TEST(Command, InheritsNoDescriptor) {
  const int leaked = ::open("/dev/null", O_RDONLY);  // without close-on-exec
  const auto output = run_command(shell("ls /proc/self/fd | sort -n | tr '\\n' ' '"), soon()).output;
  ::close(leaked);
  EXPECT_EQ(output, "0 1 2 3 ");  // 3: the directory that ls reads
}

TEST(Command, SignalsAreAsAtTheStartOfAProcess) {
  ::signal(SIGPIPE, SIG_IGN);
  const auto output = run_command(shell("sed -n 's/^SigIgn:.//p' /proc/self/status"), soon()).output;
  ::signal(SIGPIPE, SIG_DFL);
  EXPECT_EQ(std::stoull(output, nullptr, 16) & (1ull << (SIGPIPE - 1)), 0u) << output;
}

TEST(Command, ExitStatusAndSignalAreReported) {
  EXPECT_EQ(run_command(shell("exit 3"), soon()).exit_status, 3);
  const auto killed = run_command(shell("kill -9 $$"), soon());
  EXPECT_EQ(killed.signal, SIGKILL);
  EXPECT_EQ(killed.exit_status, std::nullopt);
}

TEST(Command, FailureNamesCommandStatusAndEndOfOutput) {
  const Error error = failure(shell("echo first; echo cannot connect >&2; exit 7"));
  EXPECT_EQ(error.kind(), ErrorKind::internal);
  EXPECT_EQ(error.message(),
            "/bin/sh -c echo first; echo cannot connect >&2; exit 7: exited with status 7; the end of its "
            "output:\nfirst\ncannot connect");
  EXPECT_NE(failure(shell("kill -9 $$")).message().find("was ended by signal 9 (Killed); it printed nothing"),
            std::string::npos);
}

TEST(Command, OnlyTheEndOfTheOutputIsKept) {
  Command command = shell("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done");
  command.output_limit = 50;
  const auto result = run_command(command, soon());
  EXPECT_EQ(result.output.size(), 50u);
  EXPECT_TRUE(result.output.ends_with("line 19998\nline 19999\n"));
  EXPECT_TRUE(result.output_cut);
}

TEST(Command, MissingProgramIsNotFoundAndAFileThatIsNoneIsDenied) {
  EXPECT_EQ(failure({{"/nonexistent/nodetool", "status"}, {}}).kind(), ErrorKind::not_found);
  EXPECT_EQ(failure({{"/etc/passwd"}, {}}).kind(), ErrorKind::denied);
  EXPECT_EQ(failure({}).kind(), ErrorKind::invalid);
}

TEST(Command, HangingCommandIsKilledWithItsGroupAtTheDeadline) {
  // Neither the shell nor its child heeds SIGTERM.
  const auto begin = std::chrono::steady_clock::now();
  const Error error =
      failure(shell("trap '' TERM; echo started; sleep 1000 & echo pid $!; wait; wait"), Deadline::in(300ms));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 30s);
  EXPECT_EQ(error.kind(), ErrorKind::transient);
  EXPECT_NE(error.message().find("killed, since its time was up; the end of its output:\nstarted\npid "),
            std::string::npos)
      << error.message();
  EXPECT_TRUE(ends_soon(std::stoi(error.message().substr(error.message().rfind("pid ") + 4))));
}

TEST(Command, EndlessOutputDoesNotOutliveTheDeadline) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(failure({{"/usr/bin/yes"}, {}}, Deadline::in(200ms)).kind(), ErrorKind::transient);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 30s);
}

TEST(Command, CanBeCancelled) {
  std::stop_source stop;
  const std::jthread canceller{[&] { stop.request_stop(); }};
  EXPECT_EQ(failure(shell("sleep 1000"), Deadline::in(1h), stop.get_token()).kind(), ErrorKind::cancelled);
}

TEST(Command, ProcessLeftInTheBackgroundIsNotWaitedForAndLivesOn) {
  // It keeps our pipe open, as a server does that a start script leaves behind.
  const auto begin = std::chrono::steady_clock::now();
  const auto output = run_command_checked(shell("sleep 1000 & echo $!"), Deadline::in(1h));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 30s);
  const int pid = std::stoi(output);
  EXPECT_TRUE(is_running(pid));
  ::kill(pid, SIGKILL);
}

TEST(Command, SecretsAreNotShown) {
  EXPECT_EQ(describe({{"nodetool", "-u", "me", "-pw", "hidden", "--password=hidden", "status"}, {}}),
            "nodetool -u me -pw **** --password=**** status");
  EXPECT_EQ(describe({{"tool", "--password", "hidden", "-Dsecret=hidden"}, {}}), "tool --password **** -Dsecret=****");
}

TEST(Command, ProgramsAreFoundWithoutPath) {
  EXPECT_EQ(resolve_program("/bin/sh"), "/bin/sh");
  EXPECT_EQ(resolve_program("env"), "/usr/bin/env");
  const auto failure = [](std::string_view name) {
    try {
      resolve_program(name);
      return std::optional<ErrorKind>{};
    } catch (const Error& error) {
      return std::optional{error.kind()};
    }
  };
  EXPECT_EQ(failure("no-such-program"), ErrorKind::not_found);
  EXPECT_EQ(failure(""), ErrorKind::not_found);
  EXPECT_EQ(failure("/no/such/program"), ErrorKind::not_found);
  EXPECT_EQ(failure("/etc/passwd"), ErrorKind::denied);
  EXPECT_EQ(failure("/etc"), ErrorKind::denied);
}

TEST(Command, RelativeProgramBecomesAbsolute) {
  std::string pattern = ::testing::TempDir() + "command-XXXXXX";
  const std::filesystem::path directory = ::mkdtemp(pattern.data());
  std::ofstream{directory / "tool"} << "#!/bin/sh\necho \"$0\"\n";
  std::filesystem::permissions(directory / "tool", std::filesystem::perms::owner_all);
  const auto relative = std::filesystem::relative(directory / "tool");
  const auto resolved = resolve_program("./" + relative.string());
  EXPECT_TRUE(resolved.is_absolute());
  EXPECT_TRUE(run_command({{resolved}, {}}, soon()).succeeded());
  std::filesystem::remove_all(directory);
}

TEST(Command, ManyAtOnce) {
  std::vector<std::jthread> threads;
  std::vector<std::string> outputs(8);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 5; ++round)
        outputs[i] = run_command(shell("echo " + std::to_string(i)), soon()).output;
    });
  }
  threads.clear();
  for (std::size_t i = 0; i < outputs.size(); ++i) EXPECT_EQ(outputs[i], std::to_string(i) + "\n");
}

}  // namespace
}  // namespace cherax
