#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "api/messages.h"

namespace cherax::coordinator {

struct NodeAddress {
  std::string url;  ///< of the node API, ends in /node
  std::string az;   ///< availability zone; may be empty
};

struct PollOptions {
  std::chrono::milliseconds delay_start{1000};
  double delay_multiplier = 2;
  std::chrono::milliseconds delay_max{60'000};
  std::chrono::seconds duration{86'400};     ///< of one node operation, at most
  int maximum_failures = 5;                  ///< bad answers of one node in a row
  std::chrono::seconds result_timeout{300};  ///< of one poll: a result may be long
};

struct CoordinatorOptions {
  std::vector<NodeAddress> nodes;
  PollOptions poll;
  std::chrono::milliseconds default_lock_ttl{600'000};
  std::int64_t backup_attempts = 5;
  std::int64_t restore_attempts = 1;
  std::size_t fan_out = 64;  ///< nodes spoken to at a time
  api::Retention retention{.minimum_backups = 3, .maximum_backups = {}, .keep_days = 7};
  std::chrono::seconds gc_grace{86'400};      ///< younger blocks are never garbage
  std::filesystem::path db_path;              ///< for coordinator.lock
  std::filesystem::path temporary_directory;  ///< for node results, requests and manifests
};

/// Of one request that is answered at once. As Astacus.
inline constexpr std::chrono::seconds kRequestTimeout{10};

}  // namespace cherax::coordinator
