#pragma once

#include <array>
#include <boost/describe/class.hpp>
#include <string>
#include <vector>

namespace cherax::plugins::files {

/// `plugin_config` of `plugin: files`.
struct FilesOptions {
  static constexpr std::array kRequired{"root_globs"};
  std::vector<std::string> root_globs;  ///< below node.root; see snapshot/glob.h
};
BOOST_DESCRIBE_STRUCT(FilesOptions, (), (root_globs))

}  // namespace cherax::plugins::files
