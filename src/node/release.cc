#include "http/json_body.h"
#include "node/node.h"

namespace cherax::node {

http::Response Node::start_release(const http::Request& request) {
  const auto body = http::read_body<api::ReleaseRequest>(request);
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
