#pragma once

#include <memory>
#include <vector>

#include "http/client.h"
#include "http/router.h"
#include "node/extension.h"
#include "node/lock.h"
#include "node/options.h"
#include "node/task.h"
#include "repository/storages.h"
#include "snapshot/snapshotter.h"

namespace cherax::node {

/// The node API: what a coordinator may ask of the machine it runs on. One file per operation. Any thread.
class Node {
 public:
  Node(NodeOptions options, repository::Storages& storages, http::Client& client, Clock& clock,
       std::vector<std::unique_ptr<Extension>> extensions);
  ~Node();

  void add_routes(http::Router& router);

 private:
  // routes.cc
  void add_lock_routes(http::Router& router);
  void add_extension_routes(http::Router& router, Extension& extension);
  void add_result_route(http::Router& router, const std::string& path, const std::string& task_name);
  void require_lock();
  http::Response start(const http::Request& request, const std::string& task_name, const std::string& result_url,
                       Shape shape, Work work);

  // one file each
  http::Response start_snapshot(const http::Request& request);
  http::Response start_upload(const http::Request& request);
  std::uint64_t upload_block(repository::Repository& storage, const api::SnapshotHash& block, std::stop_token stop);
  http::Response start_release(const http::Request& request);
  http::Response start_download(const http::Request& request);
  http::Response start_clear(const http::Request& request);

  const NodeOptions options_;
  repository::Storages& storages_;
  Clock& clock_;
  Lock lock_;
  std::vector<std::unique_ptr<Extension>> extensions_;
  snapshot::Snapshotter snapshotter_;
  Tasks tasks_;  // last: its thread uses the others
};

}  // namespace cherax::node
