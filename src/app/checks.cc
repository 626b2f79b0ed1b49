#include "app/checks.h"

#include <algorithm>

namespace cherax::app {

namespace {

bool is_prefix(const json::Path& prefix, const json::Path& path) {
  return prefix.size() <= path.size() && std::equal(prefix.begin(), prefix.end(), path.begin());
}

}  // namespace

json::Path below(json::Path path, std::initializer_list<json::Path::value_type> steps) {
  path.insert(path.end(), steps);
  return path;
}

bool Checks::has_problem(const json::Path& path) const {
  return std::ranges::any_of(reader_.problems(),
                             [&](const json::Problem& problem) { return is_prefix(problem.path, path); });
}

void Checks::require(bool good, const json::Path& path, const std::string& expected) {
  if (good || has_problem(path)) return;
  reader_.at_path(path, [&] {
    return reader_.add_problem(json::Problem::Kind::invalid_value, json::Problem::Type::other, expected);
  });
}

void Checks::require_valid(const json::Path& path, const std::function<void()>& check) {
  try {
    check();
  } catch (const Error& error) {
    require(false, path, error.message());
  }
}

void Checks::refuse_if_problems() const {
  if (!reader_.problems().empty()) throw document_.error(reader_.problems());
}

}  // namespace cherax::app
