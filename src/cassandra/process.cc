#include "cassandra/process.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <system_error>

#include "base/error.h"
#include "base/resolve.h"

namespace cherax::cassandra {

namespace {

namespace fs = std::filesystem;

std::optional<int> pid_of(const fs::path& entry) {
  const std::string name = entry.filename();
  int pid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return pid;
}

/// The directories as the kernel names them, without links. A trailing slash, so that /data2 is not below /data.
std::vector<std::string> prefixes_of(const std::vector<fs::path>& directories) {
  std::vector<std::string> prefixes;
  for (const fs::path& directory : directories) {
    std::error_code error;
    const fs::path real = fs::canonical(directory, error);
    if (!error) prefixes.push_back(real.string() + "/");
  }
  return prefixes;
}

bool is_below(std::string_view path, const std::vector<std::string>& prefixes) {
  return std::ranges::any_of(prefixes, [&](const std::string& prefix) {
    return path.starts_with(prefix) || path == std::string_view{prefix}.substr(0, prefix.size() - 1);
  });
}

/// What a link of /proc names; nullopt when the process or descriptor is gone.
std::optional<std::string> target_of(const fs::path& link) {
  std::error_code error;
  const fs::path target = fs::read_symlink(link, error);
  if (error) return std::nullopt;
  return target.string();
}

/// Calls `found` with the target of each descriptor of a process.
template <class Found>
void for_each_descriptor(const fs::path& process, Found found) {
  std::error_code error;
  for (fs::directory_iterator entry{process / "fd", error}, end; !error && entry != end; entry.increment(error)) {
    if (const auto target = target_of(entry->path())) found(*target);
  }
}

/// `7f…-7f… r--s 00000000 fd:01 1234   /path with blanks (deleted)`: the path begins at the first slash.
template <class Found>
void for_each_mapping(const fs::path& process, Found found) {
  std::ifstream maps{process / "maps"};
  for (std::string line; std::getline(maps, line);) {
    if (const std::size_t slash = line.find('/'); slash != std::string::npos) found(line.substr(slash));
  }
}

std::string command_of(const fs::path& process) {
  std::ifstream file{process / "comm"};
  std::string command;
  std::getline(file, command);
  return command;
}

/// 0 when it can be connected to, else errno; ETIMEDOUT when there is no answer until the deadline.
int try_to_connect(const ::addrinfo& address, Deadline deadline) {
  const int descriptor = ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return errno;
  int error = ::connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  while (error == EINPROGRESS) {
    ::pollfd waiting{descriptor, POLLOUT, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(deadline.remaining().count()));
    ::socklen_t size = sizeof error;
    if (ready == 0) error = ETIMEDOUT;
    if (ready > 0) ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
  }
  ::close(descriptor);
  return error;
}

}  // namespace

bool is_listening(const std::string& host, std::uint16_t port) {
  // An address of this machine answers at once, and nobody else's is asked.
  constexpr std::chrono::milliseconds kPatience{500};
  const auto deadline = Deadline::in(kPatience);
  bool refused = false;
  int failure = 0;
  std::string silent;
  const Addresses addresses = resolve(host, port);
  for (const ::addrinfo* address = addresses.get(); address; address = address->ai_next) {
    const int error = try_to_connect(*address, deadline);
    if (error == 0) return true;
    if (error == ECONNREFUSED)
      refused = true;
    else if (error == ETIMEDOUT)
      silent = to_string(*address);
    else
      failure = error;
  }
  if (!silent.empty()) {
    fail(ErrorKind::transient,
         "{}:{} has not answered within {} ms, so whether anything listens there is not known: is the address not of "
         "this machine, or what goes there dropped?",
         silent, port, kPatience.count());
  }
  // A name may have addresses that this machine lacks, as localhost often has ::1.
  if (refused) return false;
  fail_errno(failure, fmt::format("trying port {} of {}", port, host));
}

std::vector<FileHolder> find_file_holders(const std::vector<fs::path>& directories) {
  const auto prefixes = prefixes_of(directories);
  std::vector<FileHolder> holders;
  for (const fs::directory_entry& process : fs::directory_iterator{"/proc"}) {
    const auto pid = pid_of(process.path());
    if (!pid || *pid == ::getpid()) continue;
    std::optional<std::string> held;
    const auto look = [&](const std::string& target) {
      if (!held && is_below(target, prefixes)) held = target;
    };
    if (const auto directory = target_of(process.path() / "cwd")) look(*directory);
    for_each_descriptor(process.path(), look);
    if (!held) for_each_mapping(process.path(), look);
    if (held) holders.push_back({*pid, command_of(process.path()), *held});
  }
  return holders;
}

bool was_given(int pid, const fs::path& file) {
  const fs::path process = fs::path{"/proc"} / std::to_string(pid);
  return std::ranges::any_of(std::array{"cmdline", "environ"}, [&](const char* name) {
    std::ifstream text{process / name, std::ios::binary};
    const std::string whole{std::istreambuf_iterator{text}, {}};
    return whole.find(file.string()) != std::string::npos;
  });
}

std::optional<std::string> sign_of_life(const NodeTraces& traces) {
  for (const Endpoint& endpoint : traces.endpoints) {
    if (is_listening(endpoint.address, endpoint.port)) {
      return fmt::format("the {} {}:{} is open", endpoint.what, endpoint.address, endpoint.port);
    }
  }
  const auto holders = find_file_holders(traces.directories);
  if (holders.empty()) return std::nullopt;
  const FileHolder& holder = holders.front();
  return fmt::format("process {} ({}) has {} open", holder.pid, holder.command, holder.path.string());
}

void wait_until_stopped(const std::function<std::optional<std::string>()>& sign_of_life, Duration still_for,
                        Clock& clock, Deadline deadline, std::stop_token stop) {
  constexpr std::chrono::seconds kPause{1};
  std::optional<SteadyTime> still_since;
  const auto look = [&]() -> std::optional<std::string> {
    try {
      return sign_of_life();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::transient) throw;
      return error.message();  // not known now is not stopped
    }
  };
  for (;;) {
    const auto sign = look();
    const SteadyTime now = clock.steady();
    if (sign)
      still_since.reset();
    else if (!still_since)
      still_since = now;
    if (still_since && now - *still_since >= still_for) return;
    if (now >= deadline.time()) {
      fail(ErrorKind::transient, "Cassandra is not stopped: {}", sign.value_or("its last sign of life is too recent"));
    }
    if (!clock.sleep_for(kPause, stop)) fail(ErrorKind::cancelled, "cancelled while waiting for Cassandra to stop");
  }
}

}  // namespace cherax::cassandra
