#pragma once

#include <filesystem>
#include <functional>
#include <initializer_list>
#include <string>

#include "app/document.h"

namespace cherax::app {

json::Path below(json::Path path, std::initializer_list<json::Path::value_type> steps);

/// What is wrong with a configuration file: every problem of it, each where it stands, before one error tells them all.
/// One thread.
class Checks {
 public:
  explicit Checks(const std::filesystem::path& file) : document_(Document::load(file)) {}

  const json::value& root() const { return document_.root(); }
  /// For what is read from the document's values; its problems count like others.
  json::Reader& reader() { return reader_; }

  /// Whether one was found at `path` or around it.
  bool has_problem(const json::Path& path) const;
  /// Adds a problem at `path` unless `good`, or unless there is one already.
  void require(bool good, const json::Path& path, const std::string& expected);
  /// An Error that `check` throws becomes a problem at `path`.
  void require_valid(const json::Path& path, const std::function<void()>& check);
  /// Error{invalid}, one line a problem.
  void refuse_if_problems() const;

 private:
  Document document_;
  json::Reader reader_{{.refuse_unknown = true, .coerce = true}};
};

}  // namespace cherax::app
