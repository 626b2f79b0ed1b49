#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "http/message.h"

namespace cherax::http {

/// The pool of threads that runs a route's handler. Lanes never wait for each other: a coordinator that calls its own
/// node's API needs a free thread there, and neither may wait for a slow object store.
enum class Lane { node, coordinator, slow };

/// Called from any thread of its lane, several at a time. An exception that leaves it is answered with status 500.
using Handler = std::function<Response(const Request&)>;

struct Route {
  std::string method;
  std::string pattern;  ///< "/node/lock", "/{op}/{id}": a `{name}` segment matches any one segment that is not empty
  Lane lane;
  Handler handler;
};

/// Which route a request belongs to. What belongs to none gets Astacus' answers: 404 for an unknown path, 405 with
/// Allow for another method (HEAD and OPTIONS too), 307 to the path without its trailing slash.
class Router {
 public:
  /// Error{internal} when there is a route of the same method and shape already.
  void add(Route route);

  struct Match {
    const Route* route;
    Parameters parameters;
  };
  /// A route of the request's method is preferred to one of another; then a literal segment to a parameter, the
  /// leftmost first. Needs the request's method, target and host, not its body.
  std::variant<Match, Response> find(const Request& request) const;

 private:
  struct Entry {
    Route route;
    std::vector<std::string> segments;
  };

  std::vector<const Entry*> matching(std::string_view path) const;

  std::vector<Entry> entries_;
};

}  // namespace cherax::http
