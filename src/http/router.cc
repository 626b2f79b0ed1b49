#include "http/router.h"

#include <algorithm>
#include <set>

#include "base/error.h"

namespace cherax::http {

namespace {

bool is_parameter(std::string_view segment) { return segment.starts_with('{') && segment.ends_with('}'); }

/// "/a/b" is "a", "b"; "/" is one empty segment.
std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> segments;
  if (path.starts_with('/')) path.remove_prefix(1);
  for (;;) {
    const auto slash = path.find('/');
    segments.emplace_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

bool segment_matches(const std::string& pattern, const std::string& segment) {
  return is_parameter(pattern) ? !segment.empty() : pattern == segment;
}

bool same_shape(const std::vector<std::string>& left, const std::vector<std::string>& right) {
  return std::ranges::equal(
      left, right, [](const auto& a, const auto& b) { return a == b || (is_parameter(a) && is_parameter(b)); });
}

/// Literals before parameters, the leftmost difference counts. Both match the same path.
bool more_specific(const std::vector<std::string>& left, const std::vector<std::string>& right) {
  return std::ranges::lexicographical_compare(left, right, {}, is_parameter, is_parameter);
}

Response method_not_allowed(const std::set<std::string>& allowed) {
  auto response = Response::json(R"({"detail":"Method Not Allowed"})", 405);
  response.headers.add("allow", fmt::format("{}", fmt::join(allowed, ", ")));
  return response;
}

Response redirect_to(const Request& request, std::string_view path) {
  // Encoded anew: a decoded path may hold a line break, which must not end the header.
  auto location = request.url_of(percent_encode_path(path));
  if (const auto question = request.target.find('?'); question != std::string::npos) {
    location += request.target.substr(question);
  }
  Response response{.status = 307, .content_type = ""};
  response.headers.add("location", std::move(location));
  return response;
}

}  // namespace

void Router::add(Route route) {
  Entry entry{std::move(route), {}};
  entry.segments = split(entry.route.pattern);
  for (const auto& other : entries_) {
    if (other.route.method == entry.route.method && same_shape(other.segments, entry.segments)) {
      fail(ErrorKind::internal, "two routes for {} {}", entry.route.method, entry.route.pattern);
    }
  }
  entries_.push_back(std::move(entry));
}

std::vector<const Router::Entry*> Router::matching(std::string_view path) const {
  std::vector<const Entry*> matches;
  if (!path.starts_with('/')) return matches;
  const auto segments = split(path);
  for (const auto& entry : entries_) {
    if (std::ranges::equal(entry.segments, segments, segment_matches)) matches.push_back(&entry);
  }
  return matches;
}

std::variant<Router::Match, Response> Router::find(const Request& request) const {
  const auto candidates = matching(request.path);
  const Entry* best = nullptr;
  std::set<std::string> allowed;
  for (const Entry* entry : candidates) {
    allowed.insert(entry->route.method);
    if (entry->route.method != request.method) continue;
    if (!best || more_specific(entry->segments, best->segments)) best = entry;
  }
  if (best) {
    Match match{&best->route, {}};
    const auto segments = split(request.path);
    for (std::size_t i = 0; i < segments.size(); ++i) {
      const std::string_view pattern = best->segments[i];
      if (is_parameter(pattern))
        match.parameters.push_back({std::string{pattern.substr(1, pattern.size() - 2)}, segments[i]});
    }
    return match;
  }
  if (!candidates.empty()) return method_not_allowed(allowed);

  const std::string_view path = request.path;
  const auto shorter = path.substr(0, path.find_last_not_of('/') + 1);
  if (shorter.size() < path.size() && !matching(shorter).empty()) return redirect_to(request, shorter);
  return Response::json(R"({"detail":"Not Found"})", 404);
}

}  // namespace cherax::http
