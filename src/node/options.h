#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace cherax::node {

struct ParallelOptions {
  std::size_t downloads = 1;
  std::size_t hashes = 1;
  std::size_t uploads = 1;
};

struct NodeOptions {
  std::filesystem::path root;       ///< what is backed up; must exist
  std::string az;                   ///< availability zone; may be empty
  std::filesystem::path root_link;  ///< where hard links of a snapshot stand; on the same file system as root
  std::filesystem::path db_path;    ///< the index; created when missing
  std::filesystem::path temporary_directory;
  ParallelOptions parallel;
  bool copy_root_owner = false;  ///< restored files get root's owner and group by /usr/bin/sudo /usr/bin/chown
};

}  // namespace cherax::node
