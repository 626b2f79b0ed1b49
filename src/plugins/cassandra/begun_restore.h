#pragma once

#include <boost/describe/class.hpp>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cassandra/configuration.h"

namespace cherax::plugins::cassandra {

/// What a node remembers of a restore until it has succeeded, as JSON in `db_path/restore`. It tells data of an earlier
/// attempt, which the next one removes, from an operator's, which nothing removes unasked.
struct BegunRestore {
  std::string suffix;                          ///< of the names of what it sets aside
  bool cleared = false;                        ///< all directories were set aside or emptied
  bool stopping = false;                       ///< it has begun to stop Cassandra, and has not seen the end
  bool given_up = false;                       ///< the directories are an operator's again
  std::map<std::string, std::int64_t> inodes;  ///< of the directories as it left them, by path
};
BOOST_DESCRIBE_STRUCT(BegunRestore, (), (suffix, cleared, stopping, given_up, inodes))

/// The file with a BegunRestore, and what the disk and the processes say of it.
class RestoreMarker {
 public:
  /// `edited_configuration`: what the restore starts Cassandra with. `stop_time`: how long a stop may take.
  RestoreMarker(std::filesystem::path file, std::filesystem::path edited_configuration, Duration stop_time)
      : file_(std::move(file)), edited_configuration_(std::move(edited_configuration)), stop_time_(stop_time) {}

  /// Error{corrupt} when it is none.
  std::optional<BegunRestore> read() const;
  /// Also says that what is in the directories now is as the restore left it.
  void write(const BegunRestore& begun) const;
  void remove() const;

  /// Whether what is in the directories comes from the restore alone: nobody has moved others there, and Cassandra has
  /// not been started since by anybody else. False when that cannot be known, as after a power failure.
  bool is_alone(const BegunRestore& begun, const ::cherax::cassandra::Directories& directories) const;

 private:
  const std::filesystem::path file_;
  const std::filesystem::path edited_configuration_;
  const Duration stop_time_;
};

/// For BegunRestore::inodes.
std::map<std::string, std::int64_t> inodes_of(const std::vector<std::filesystem::path>& directories);

}  // namespace cherax::plugins::cassandra
