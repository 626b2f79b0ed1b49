#pragma once

#include <array>
#include <boost/describe/class.hpp>
#include <filesystem>
#include <string>

namespace cherax::storage {

/// `storage_type: local`.
struct LocalOptions {
  static constexpr std::array kRequired{"directory"};
  std::filesystem::path directory;  ///< created on the first put
  std::string prefix;               ///< folders below it, with or without slashes at its ends
};
BOOST_DESCRIBE_STRUCT(LocalOptions, (), (directory, prefix))

}  // namespace cherax::storage
