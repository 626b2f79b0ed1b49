#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/json.h"

namespace cherax::app {

/// A configuration file as one value, and on which line each of its keys stands.
class Document {
 public:
  /// `.json` is read as JSON, everything else as YAML. Error{invalid} with file and line when it is neither.
  static Document load(const std::filesystem::path& path);
  static Document parse(const std::string& text, const std::filesystem::path& path);

  const json::value& root() const { return root_; }
  /// "cherax.yaml:12: coordinator.nodes[0].url: expected text, found a number", one line a problem.
  Error error(const std::vector<json::Problem>& problems) const;
  std::string where(const json::Path& path) const;

 private:
  std::filesystem::path path_;
  json::value root_;
  std::map<std::string, int> lines_;  // by json::to_string(path)
};

}  // namespace cherax::app
