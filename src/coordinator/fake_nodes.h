#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "coordinator/options.h"
#include "http/client.h"
#include "http/json_body.h"
#include "http/server.h"

namespace cherax::coordinator {

/// Nodes for tests: real HTTP servers that answer as the test says, and count what they were asked.
class FakeNodes {
 public:
  using Answer = std::function<http::Response(std::size_t node, const http::Request&)>;

  explicit FakeNodes(std::size_t count) {
    for (std::size_t node = 0; node < count; ++node) {
      http::Router router;
      for (const char* method : {"GET", "POST"}) {
        for (const char* path : {"/node/{a}", "/node/{a}/{b}"}) {
          router.add({method, path, http::Lane::node,
                      [this, node](const http::Request& request) { return answer(node, request); }});
        }
      }
      http::ServerOptions server_options{.port = 0, .spool_directory = "/tmp"};
      servers_.push_back(std::make_unique<http::Server>(server_options, std::move(router)));
      options.nodes.push_back({fmt::format("http://127.0.0.1:{}/node", servers_.back()->port()), ""});
    }
    options.poll.delay_start = std::chrono::milliseconds{1};
    options.poll.delay_max = std::chrono::milliseconds{5};
  }

  /// `what` is like "POST /node/lock".
  void on(const std::string& what, Answer answer) {
    std::scoped_lock lock{mutex_};
    answers_[what] = std::move(answer);
  }
  int count(const std::string& what) {
    std::scoped_lock lock{mutex_};
    return counts_[what];
  }
  void stop(std::size_t node) { servers_.at(node)->stop(); }

  CoordinatorOptions options;
  http::Client client{{.spool_directory = "/tmp"}};

 private:
  http::Response answer(std::size_t node, const http::Request& request) {
    Answer answer;
    {
      std::scoped_lock lock{mutex_};
      const auto what = request.method + " " + request.path;
      ++counts_[what];
      if (!answers_.contains(what)) return http::Response::json(R"({"detail":"Not Found"})", 404);
      answer = answers_[what];
    }
    return answer(node, request);
  }

  std::mutex mutex_;
  std::map<std::string, Answer> answers_;
  std::map<std::string, int> counts_;
  std::vector<std::unique_ptr<http::Server>> servers_;
};

}  // namespace cherax::coordinator
