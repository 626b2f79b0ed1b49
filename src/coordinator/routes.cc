#include <algorithm>

#include "coordinator/coordinator.h"
#include "http/json_body.h"

namespace cherax::coordinator {

namespace {

struct LockQuery {
  static constexpr std::array kRequired{"locker"};
  std::string locker;
  std::int64_t ttl = 60;  // seconds
};
BOOST_DESCRIBE_STRUCT(LockQuery, (), (locker, ttl))

enum class OperationName { backup, lock, restore, unlock, cleanup };
BOOST_DESCRIBE_ENUM(OperationName, backup, lock, restore, unlock, cleanup)

http::Response started(const Operation& operation) {
  return http::json_response(api::StartResult{operation.id(), operation.status_url()});
}

struct OperationPath {
  static constexpr std::array kRequired{"op_name", "op_id"};
  OperationName op_name{};
  std::int64_t op_id = 0;
};
BOOST_DESCRIBE_STRUCT(OperationPath, (), (op_name, op_id))

}  // namespace

void Coordinator::add_routes(http::Router& router) {
  router.add({"GET", "/", http::Lane::coordinator, [](const http::Request&) { return http::Response::json("{}"); }});
  router.add({"GET", "/busy", http::Lane::coordinator,
              [this](const http::Request&) { return http::Response::json(operations_.busy() ? "true" : "false"); }});
  const auto add = [&](const char* method, const char* path, http::Lane lane,
                       http::Response (Coordinator::*handler)(const http::Request&)) {
    router.add({method, path, lane,
                http::answering([this, handler](const http::Request& request) { return (this->*handler)(request); })});
  };
  add("POST", "/backup", http::Lane::coordinator, &Coordinator::start_backup);
  add("POST", "/restore", http::Lane::coordinator, &Coordinator::start_restore);
  add("POST", "/cleanup", http::Lane::coordinator, &Coordinator::start_cleanup);
  add("POST", "/lock", http::Lane::coordinator, &Coordinator::lock);
  add("POST", "/unlock", http::Lane::coordinator, &Coordinator::unlock);
  add("GET", "/list", http::Lane::slow, &Coordinator::list);
  add("GET", "/{op_name}/{op_id}", http::Lane::coordinator, &Coordinator::status);
  add("PUT", "/{op_name}/{op_id}/sub-result", http::Lane::coordinator, &Coordinator::sub_result);
}

http::Response Coordinator::start_backup(const http::Request& request) {
  return started(*start_locked("backup", request,
                               [this](Operation& operation, ClusterLock& lock) { run_backup(operation, lock); }));
}

http::Response Coordinator::start_restore(const http::Request& request) {
  const auto body = http::read_body<api::RestoreRequest>(request);
  try {  // an unknown storage or step is refused before anything is locked
    storages_.find(body.storage);
    Plan::require_known(plugin_->restore_steps(), body.stop_after_step);
  } catch (const Error& error) {
    http::refuse(422, json::value(error.message()));
  }
  return started(*start_locked("restore", request, [this, body](Operation& operation, ClusterLock& lock) {
    run_restore(operation, lock, body);
  }));
}

http::Response Coordinator::start_cleanup(const http::Request& request) {
  const auto body = http::read_body<api::CleanupRequest>(request);
  try {
    storages_.find(body.storage);
  } catch (const Error& error) {
    http::refuse(422, json::value(error.message()));
  }
  return started(*start_locked("cleanup", request,
                               [this, body](Operation& operation, ClusterLock&) { run_cleanup(operation, body); }));
}

http::Response Coordinator::lock(const http::Request& request) {
  const auto query = http::read_query<LockQuery>(request);
  auto operation = operations_.create("lock", "http://" + request.host);
  operations_.launch(operation, [this, query](Operation&) {
    try {
      constexpr std::int64_t kLongest = 100LL * 366 * 86'400;  // for ever, and no overflow in finer units
      const auto ttl = std::chrono::seconds{std::clamp<std::int64_t>(query.ttl, 0, kLongest)};
      ClusterLock::lock(lock_cluster_, query.locker, ttl);
    } catch (const LockUnavailable& unavailable) {
      fail(ErrorKind::transient, "{}", unavailable.reason);
    }
  });
  const api::StartResult start{operation->id(), operation->status_url()};
  auto body = json::to_value(start);
  body.get_object()["unlock_url"] = request.url_of("/unlock") + "?" + http::to_query({{"locker", query.locker}});
  return http::json_response(body);
}

http::Response Coordinator::unlock(const http::Request& request) {
  const auto query = http::read_query<LockQuery>(request);
  auto operation = operations_.create("unlock", "http://" + request.host);
  operations_.launch(operation, [this, query](Operation&) { ClusterLock::unlock(lock_cluster_, query.locker); });
  return started(*operation);
}

/// 422 for a path that cannot name one, 404 for one that is not remembered.
std::shared_ptr<Operation> Coordinator::named_operation(const http::Request& request) {
  const auto path = http::read_request<OperationPath>(http::path_value(request), "path");
  auto operation = operations_.find(json::enumerator_name(path.op_name), path.op_id);
  if (!operation) http::refuse(404, http::unknown_operation(path.op_id));
  return operation;
}

http::Response Coordinator::status(const http::Request& request) {
  const auto operation = named_operation(request);
  return http::json_response(operation->status());
}

http::Response Coordinator::sub_result(const http::Request& request) {
  const auto operation = named_operation(request);
  std::size_t node = 0;
  if (const std::string* text = http::find(request.query, "node")) {
    json::Reader reader{{.coerce = true}};
    if (!reader.read(json::value(*text), node))
      throw http::ResponseError{http::unprocessable("query", reader.problems())};
  }
  operation->wake(node);
  return http::Response::json("null");
}

}  // namespace cherax::coordinator
