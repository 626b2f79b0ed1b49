#include "plugins/cassandra/begun_restore.h"

#include <algorithm>

#include "base/file.h"
#include "base/json.h"
#include "cassandra/process.h"

namespace cherax::plugins::cassandra {

namespace lib = ::cherax::cassandra;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLargestMarker = 64 * 1024;

/// Each start of Cassandra makes new files of the commit log, whatever it is used for then.
bool has_file_newer_than(fs::file_time_type time, const fs::path& directory) {
  std::error_code missing;
  return std::ranges::any_of(fs::directory_iterator{directory, missing},
                             [&](const auto& entry) { return entry.last_write_time(missing) > time && !missing; });
}

}  // namespace

std::optional<BegunRestore> RestoreMarker::read() const {
  if (!status_of(file_)) return std::nullopt;
  return in_context(file_.string(), [&] {
    return json::read<BegunRestore>(json::parse(read_text(file_, kLargestMarker)).value()).value();
  });
}

void RestoreMarker::write(const BegunRestore& begun) const { write_durably(file_, json::to_text(begun)); }

void RestoreMarker::remove() const { remove_if_exists(file_); }

bool RestoreMarker::is_alone(const BegunRestore& begun, const lib::Directories& directories) const {
  if (begun.given_up) return false;
  const auto is_another = [](const auto& directory) {
    const auto status = status_of(directory.first);
    return status && static_cast<std::int64_t>(status->st_ino) != directory.second;
  };
  if (std::ranges::any_of(begun.inodes, is_another)) return false;
  const auto holders = lib::find_file_holders(directories.all());
  if (std::ranges::any_of(holders,
                          [&](const auto& process) { return lib::was_given(process.pid, edited_configuration_); }))
    return true;
  const auto left = fs::last_write_time(file_) + (begun.stopping ? stop_time_ : Duration{});
  return !has_file_newer_than(std::chrono::time_point_cast<fs::file_time_type::duration>(left), directories.commitlog);
}

std::map<std::string, std::int64_t> inodes_of(const std::vector<fs::path>& directories) {
  std::map<std::string, std::int64_t> inodes;
  for (const fs::path& directory : directories) {
    if (const auto status = status_of(directory)) inodes[directory] = static_cast<std::int64_t>(status->st_ino);
  }
  return inodes;
}

}  // namespace cherax::plugins::cassandra
