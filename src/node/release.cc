#include "http/json_body.h"
#include "node/node.h"

namespace cherax::node {

namespace {

/// Astacus' coordinator names every digest that it does not need: 1 MiB would be 15,000 of them.
constexpr std::size_t kLongestList = 64 * 1024 * 1024;

}  // namespace

http::Response Node::start_release(const http::Request& request) {
  const auto body = http::read_request<api::ReleaseRequest>(http::body_value(request, kLongestList), "body");
  std::vector<Digest> digests;
  for (const std::string& hexdigest : body.hexdigests) {
    const auto digest = Digest::from_hex(hexdigest);
    if (!digest) http::refuse(422, json::value(digest.error().message()));
    digests.push_back(*digest);
  }
  require_lock();
  return start(request, "release", body.result_url, plain_shape, [this, all = body.all, digests](Task& task) {
    if (all) snapshotter_.release_all();
    for (const Digest& digest : digests) snapshotter_.release(digest);
    return http::Body{json::to_text(task.final_result())};
  });
}

}  // namespace cherax::node
