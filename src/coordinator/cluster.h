#pragma once

#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/json.h"
#include "coordinator/operation.h"
#include "coordinator/options.h"
#include "http/client.h"

namespace cherax::coordinator {

/// The nodes, spoken to in parallel; the client bounds how many at a time. Any thread.
class Cluster {
 public:
  Cluster(const CoordinatorOptions& options, http::Client& client);

  std::size_t size() const { return options_.nodes.size(); }
  const CoordinatorOptions& options() const { return options_; }
  /// How messages call a node: its URL without /node.
  std::string name(std::size_t node) const;

  /// Whether every node's /node/metadata names it.
  bool all_have_feature(std::string_view feature) const;

  struct Call {
    std::size_t node;
    std::string method;
    std::string path;  ///< below the node's URL, or a whole URL
    http::Body body{};
    std::chrono::milliseconds timeout = kRequestTimeout;
  };
  /// One answer a call, in their order. What is not an answer is an Error that names the node.
  std::vector<Result<http::Response>> ask(std::vector<Call> calls, std::stop_token stop = {}) const;
  /// The same request to every node.
  std::vector<Result<http::Response>> ask_all(const std::string& method, const std::string& path,
                                              const http::Body& body = {}, std::stop_token stop = {}) const;

 private:
  const CoordinatorOptions& options_;
  http::Client& client_;
};

/// What a bad answer says of itself: the status and the `detail` of its body, shortened.
std::string describe(const http::Response& response);

/// Runs operations on the nodes: starts each, follows it by polls with growing delays, earlier when the node reports
/// its end, and hands out the final results. Used by an operation's thread.
class NodeCalls {
 public:
  using OnProgress = std::function<void(const api::Progress&)>;

  /// Until a node has called or the time is over: the nodes that have. For tests; else Operation::wait.
  using Wait = std::function<std::set<std::size_t>(Duration)>;

  NodeCalls(const Cluster& cluster, Operation& operation)
      : NodeCalls(cluster, operation, [&operation](Duration duration) { return operation.wait(duration); }) {}
  NodeCalls(const Cluster& cluster, Operation& operation, Wait wait)
      : cluster_(cluster), operation_(operation), wait_(std::move(wait)) {}

  /// The results of the nodes that were given a body. Error when a node refuses to start, answers badly too often in a
  /// row, or ends with a failure; the message names the node and says what it said. `path` is like "snapshot".
  std::vector<std::optional<http::Body>> each(const std::string& path, std::vector<std::optional<http::Body>> requests,
                                              const OnProgress& on_progress);

  /// Gives back what an attempt took of the nodes. Followed to its end, unless the operation is cancelled: then it is
  /// only started, which a node finishes by itself. Nothing is thrown: it is for scope guards, and the log says what
  /// failed.
  template <class Request>
  void clean_up(const std::string& path, const Request& request) noexcept {
    try {
      if (operation_.stop().stop_requested()) return start_only(path, json::to_text(request));
      all(path, request);
    } catch (const std::exception& error) {
      log::warning("cleaning up by {}: {}", path, error.what());
    }
  }

  /// The same request to every node.
  template <class Request>
  std::vector<http::Body> all(const std::string& path, Request request, const OnProgress& on_progress = {}) {
    std::vector<std::optional<http::Body>> requests;
    for (std::size_t node = 0; node < cluster_.size(); ++node) {
      request.result_url = operation_.result_url(node);
      requests.emplace_back(json::to_text(request));
    }
    std::vector<http::Body> results;
    for (auto& result : each(path, std::move(requests), on_progress)) results.push_back(std::move(*result));
    return results;
  }

 private:
  struct Followed;
  void start_only(const std::string& path, const std::string& request);
  void start(const std::string& path, std::vector<Followed>& nodes);
  void accept(const std::string& path, const api::NodeResult& result, const http::Body& body, Followed& followed);
  void poll(const std::string& path, std::vector<Followed*> nodes);

  const Cluster& cluster_;
  Operation& operation_;
  Wait wait_;
};

/// A result that fits in memory.
template <class T>
T read_result(const http::Body& body) {
  return json::read<T>(json::parse(body.text(http::kBodyInMemory)).value()).value();
}

}  // namespace cherax::coordinator
