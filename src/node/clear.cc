#include "snapshot/clear.h"

#include "http/json_body.h"
#include "node/node.h"

namespace cherax::node {

http::Response Node::start_clear(const http::Request& request) {
  const auto body = http::read_body<api::ClearRequest>(request);
  require_lock();
  return start(request, "clear", body.result_url, plain_shape, [this, body](Task& task) {
    snapshot::Progress progress;
    {
      const Task::Watch watch{task, [&] {
                                return api::Progress{.handled = static_cast<std::int64_t>(progress.files_done.load()),
                                                     .total = static_cast<std::int64_t>(progress.files_total.load())};
                              }};
      snapshot::clear(options_.root, body.root_globs, progress, task.stop());
    }
    return http::Body{json::to_text(task.final_result())};
  });
}

}  // namespace cherax::node
