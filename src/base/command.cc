#include "base/command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/ascii.h"
#include "base/bytes.h"
#include "base/error.h"

namespace cherax {

namespace {

/// Between SIGTERM and SIGKILL.
constexpr std::chrono::seconds kGrace{2};
/// Of the output, in a message.
constexpr std::size_t kShownOutput = 2000;
/// More than a pipe holds.
constexpr std::size_t kPipe = 1024 * 1024;

class Descriptor {
 public:
  explicit Descriptor(int number, std::string_view what) : number_(number) {
    if (number_ < 0) fail_errno(errno, what);
  }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  ~Descriptor() { close(); }
  void close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }
  int number() const { return number_; }

 private:
  int number_;
};

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Pipe make_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail_errno(errno, "creating a pipe");
  Pipe pipe{Descriptor{ends[0], "pipe"}, Descriptor{ends[1], "pipe"}};
  // Only our end: the command expects a blocking standard output.
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return pipe;
}

std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

/// posix_spawn's two parameter objects.
class SpawnSettings {
 public:
  explicit SpawnSettings(int output) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, output, 1);
    ::posix_spawn_file_actions_adddup2(&actions_, output, 2);
    // A library may have opened descriptors without close-on-exec.
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, 3);

    ::sigset_t none;
    ::sigemptyset(&none);
    ::sigset_t all;
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  const ::posix_spawn_file_actions_t* actions() const { return &actions_; }
  const ::posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  ::posix_spawn_file_actions_t actions_;
  ::posix_spawnattr_t attributes_;
};

/// The last bytes of what is added.
class Tail {
 public:
  explicit Tail(std::size_t limit) : limit_(limit) {}

  /// Reads what is there without waiting, but not more than `limit`: a writer may be as fast as we are. False at the
  /// end of the pipe.
  bool read_available(int pipe, std::size_t limit) {
    std::array<char, 16 * 1024> buffer;
    for (std::size_t total = 0; total < limit;) {
      const auto size = ::read(pipe, buffer.data(), buffer.size());
      if (size == 0) return false;
      if (size < 0 && errno != EINTR) return true;
      if (size < 0) continue;
      add({buffer.data(), static_cast<std::size_t>(size)});
      total += static_cast<std::size_t>(size);
    }
    return true;
  }
  std::string take() {
    trim();
    return std::move(text_);
  }
  bool is_cut() const { return is_cut_; }

 private:
  void add(std::string_view bytes) {
    text_ += bytes;
    if (text_.size() > 2 * limit_ + 1024) trim();
  }
  void trim() {
    if (text_.size() <= limit_) return;
    text_.erase(0, text_.size() - limit_);
    is_cut_ = true;
  }

  std::size_t limit_;
  std::string text_;
  bool is_cut_ = false;
};

/// A child that leads its own process group. Not reaped before finish(), so that its pid and group id stay its own.
class Child {
 public:
  Child(const Command& command, int output) {
    const SpawnSettings settings{output};
    const auto arguments = pointers_to(command.arguments);
    const auto environment = pointers_to(command.environment);
    const int error = ::posix_spawn(&pid_, arguments[0], settings.actions(), settings.attributes(), arguments.data(),
                                    environment.data());
    if (error != 0) fail_errno(error, fmt::format("starting {}", describe(command)));
    // glibc 2.36 declares pidfd_open without C linkage.
    process_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    if (process_ < 0) {
      const int reason = errno;
      kill_group(SIGKILL);
      finish();
      fail_errno(reason, "pidfd_open");
    }
  }
  ~Child() {
    if (pid_ > 0) {
      kill_group(SIGKILL);
      finish();
    }
    if (process_ >= 0) ::close(process_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Becomes readable when the process has ended.
  int descriptor() const { return process_; }
  void kill_group(int signal) { ::kill(-pid_, signal); }

  /// Waits for the end, and lets the kernel forget the process.
  int finish() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

 private:
  ::pid_t pid_ = -1;
  int process_ = -1;
};

enum class Wake { ended, deadline, stopped };

/// Reads output until the process has ended, the deadline has passed, or `stop` became readable (-1: never).
Wake follow(const Child& child, Descriptor& output, Tail& tail, int stop, Deadline deadline) {
  for (;;) {
    std::array<::pollfd, 3> entries{{{child.descriptor(), POLLIN, 0}, {output.number(), POLLIN, 0}, {stop, POLLIN, 0}}};
    const auto left = std::min<std::int64_t>(deadline.remaining().count(), 60'000);
    const int ready = ::poll(entries.data(), entries.size(), static_cast<int>(left));
    if (ready < 0 && errno != EINTR) fail_errno(errno, "poll of a command");
    if (ready > 0 && entries[1].revents != 0 && !tail.read_available(output.number(), kPipe)) output.close();
    if (ready > 0 && entries[0].revents != 0) return Wake::ended;
    if (ready > 0 && entries[2].revents != 0) return Wake::stopped;
    if (deadline.passed()) return Wake::deadline;
  }
}

void terminate(Child& child, Descriptor& output, Tail& tail) {
  child.kill_group(SIGTERM);
  follow(child, output, tail, -1, Deadline::in(kGrace));
  // Also what the process left in its group when it ended by itself.
  child.kill_group(SIGKILL);
  child.finish();
}

std::string end_of(std::string output, bool is_cut) {
  while (!output.empty() && (output.back() == '\n' || output.back() == ' ')) output.pop_back();
  if (output.empty()) return "it printed nothing";
  if (output.size() > kShownOutput) {
    output.erase(0, output.size() - kShownOutput);
    is_cut = true;
  }
  return fmt::format("the end of its output:\n{}{}", is_cut ? "…" : "", output);
}

std::string_view signal_words(int signal) {
  const char* words = ::sigdescr_np(signal);
  return words ? words : "unknown";
}

bool names_secret(std::string_view argument) {
  const std::string lower = lower_case(argument);
  return lower == "-pw" || lower.find("password") != std::string::npos || lower.find("secret") != std::string::npos;
}

}  // namespace

CommandResult run_command(const Command& command, Deadline deadline, std::stop_token stop) {
  if (command.arguments.empty()) fail(ErrorKind::invalid, "a command without a program");
  if (stop.stop_requested()) fail(ErrorKind::cancelled, "{}: not started, since it was cancelled", describe(command));
  Pipe pipe = make_pipe();
  Child child{command, pipe.write.number()};
  pipe.write.close();

  const Descriptor stop_event{::eventfd(0, EFD_CLOEXEC), "eventfd"};
  const std::stop_callback on_stop{stop, [&] { ::eventfd_write(stop_event.number(), 1); }};
  Tail tail{command.output_limit};
  const Wake wake = follow(child, pipe.read, tail, stop_event.number(), deadline);
  if (wake != Wake::ended) {
    terminate(child, pipe.read, tail);
    const auto output = end_of(tail.take(), tail.is_cut());
    if (wake == Wake::stopped)
      fail(ErrorKind::cancelled, "{}: killed, since it was cancelled; {}", describe(command), output);
    fail(ErrorKind::transient, "{}: killed, since its time was up; {}", describe(command), output);
  }
  const int status = child.finish();
  if (pipe.read.number() >= 0) tail.read_available(pipe.read.number(), kPipe);
  CommandResult result;
  if (WIFEXITED(status))
    result.exit_status = WEXITSTATUS(status);
  else
    result.signal = WTERMSIG(status);
  result.output = tail.take();
  result.output_cut = tail.is_cut();
  return result;
}

std::string run_command_checked(const Command& command, Deadline deadline, std::stop_token stop) {
  CommandResult result = run_command(command, deadline, std::move(stop));
  if (result.succeeded()) return std::move(result.output);
  const auto ended = result.signal
                         ? fmt::format("was ended by signal {} ({})", *result.signal, signal_words(*result.signal))
                         : fmt::format("exited with status {}", *result.exit_status);
  fail(ErrorKind::internal, "{}: {}; {}", describe(command), ended,
       end_of(std::move(result.output), result.output_cut));
}

std::string describe(const Command& command) {
  std::string text;
  bool hide_next = false;
  for (const std::string& argument : command.arguments) {
    if (!text.empty()) text += ' ';
    const std::size_t equals = argument.find('=');
    if (std::exchange(hide_next, false))
      text += "****";
    else if (!names_secret(argument.substr(0, equals)))
      text += argument;
    else if (equals != std::string::npos)
      text += argument.substr(0, equals) + "=****";
    else {
      text += argument;
      hide_next = argument.starts_with('-');
    }
  }
  return text;
}

std::vector<std::string> current_environment() {
  std::vector<std::string> variables;
  for (char** variable = ::environ; *variable; ++variable) variables.emplace_back(*variable);
  return variables;
}

std::filesystem::path resolve_program(std::string_view name) {
  namespace fs = std::filesystem;
  const auto why_not = [](const fs::path& path) -> int {
    std::error_code error;
    if (!fs::is_regular_file(path, error)) return error ? error.value() : fs::exists(path) ? EACCES : ENOENT;
    return ::access(path.c_str(), X_OK) == 0 ? 0 : errno;
  };
  if (name.find('/') != std::string_view::npos) {
    fs::path path = fs::absolute(name);
    if (const int error = why_not(path)) fail_errno(error, fmt::format("looking for the program {}", path.string()));
    return path;
  }
  for (std::string_view directory : {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}) {
    if (fs::path path = fs::path{directory} / name; !name.empty() && why_not(path) == 0) return path;
  }
  fail(ErrorKind::not_found,
       "the program \"{}\" is in none of the system's directories; PATH is not searched: give its absolute path", name);
}

}  // namespace cherax
