#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"

/// Whether the Cassandra of a node is stopped: proof from the outside, since its own word ends with it.
namespace cherax::cassandra {

/// Does something accept connections there? `host` is an IPv4 or IPv6 address of this machine, or a name of it; of a
/// name, one address that accepts is enough. Error{transient} within a second when one does not answer at all.
bool is_listening(const std::string& host, std::uint16_t port);

struct FileHolder {
  int pid = 0;
  std::string command;  ///< as in /proc/<pid>/comm
  std::filesystem::path path;
};

/// The other processes that have a file below one of `directories` open, mapped, or as their working directory
/// (/proc/<pid>/fd, maps, cwd; also files deleted since), with one path each. Directories that do not exist hold
/// nothing. Of another user's processes only root sees the files; who may empty the directories of Cassandra is root or
/// its user.
std::vector<FileHolder> find_file_holders(const std::vector<std::filesystem::path>& directories);

/// Whether the process was started with `file` in its command line or its environment.
bool was_given(int pid, const std::filesystem::path& file);

struct Endpoint {
  std::string address;  ///< or a name
  std::uint16_t port = 0;
  std::string what;  ///< for messages: "storage port"
};

struct NodeTraces {
  std::vector<Endpoint> endpoints;                 ///< storage, native transport, JMX
  std::vector<std::filesystem::path> directories;  ///< Directories::all()
};

/// What shows that the node runs: "the JMX port 127.0.0.1:7199 is open", "process 4711 (java) has … open"; nullopt when
/// nothing does.
std::optional<std::string> sign_of_life(const NodeTraces& traces);

/// Asks `sign_of_life` every second until it has found nothing for all of `still_for`. An Error{transient} of it is a
/// sign, too. Error{transient} with the last sign at the deadline, Error{cancelled} on `stop`.
void wait_until_stopped(const std::function<std::optional<std::string>()>& sign_of_life, Duration still_for,
                        Clock& clock, Deadline deadline, std::stop_token stop);

}  // namespace cherax::cassandra
