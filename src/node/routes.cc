#include <unistd.h>

#include <cmath>

#include "base/log.h"
#include "http/json_body.h"
#include "node/node.h"
#include "snapshot/relative_path.h"

namespace cherax::node {

namespace {

constexpr std::string_view kVersion = "0.8.13";  // the protocol's, by which Astacus' coordinators know a node

struct LockQuery {
  static constexpr std::array kRequired{"locker", "ttl"};
  std::string locker;
  std::int64_t ttl = 0;  // seconds
};
BOOST_DESCRIBE_STRUCT(LockQuery, (), (locker, ttl))

struct UnlockQuery {
  static constexpr std::array kRequired{"locker"};
  std::string locker;
};
BOOST_DESCRIBE_STRUCT(UnlockQuery, (), (locker))

Duration time_to_live(const LockQuery& query) {
  constexpr std::int64_t kYear = 366LL * 86'400;
  return std::chrono::seconds{std::clamp<std::int64_t>(query.ttl, 0, kYear)};
}

http::Response refusal(Lock::Answer answer, const std::optional<Lock::Holder>& holder,
                       std::string_view when_not_locked) {
  json::object body;
  int status = 409;
  switch (answer) {
    case Lock::Answer::already_locked:
      body["detail"] = "Already locked";
      break;
    case Lock::Answer::locked_by_other:
      body["detail"] = "Locked by someone else";
      status = 403;
      break;
    case Lock::Answer::not_locked:
    case Lock::Answer::done:
      body["detail"] = json::value(when_not_locked);
      break;
  }
  if (holder) {
    const auto seconds = std::chrono::duration<double>(holder->expires_in).count();
    body["holder"] = json::object{{"locker", holder->locker}, {"expires_in", std::ceil(seconds * 10) / 10}};
  }
  return http::Response::json(json::to_text(body), status);
}

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

}  // namespace

json::value plain_shape(const api::NodeResult& result) { return json::to_value(result); }

Node::Node(NodeOptions options, repository::Storages& storages, http::Client& client, Clock& clock,
           std::vector<std::unique_ptr<Extension>> extensions)
    : options_(std::move(options)),
      storages_(storages),
      clock_(clock),
      lock_(clock),
      extensions_(std::move(extensions)),
      snapshotter_(
          {options_.root, options_.root_link, options_.db_path / snapshot::kIndexName, options_.parallel.hashes},
          clock),
      tasks_({host_name(), options_.az}, client, lock_) {
  snapshotter_.release_all();  // of a server that was killed
}

Node::~Node() {
  tasks_.stop();
  try {
    snapshotter_.release_all();
  } catch (const std::exception& error) {
    log::warning("hard links remain until the next start: {}", error.what());
  }
}

void Node::add_routes(http::Router& router) {
  add_lock_routes(router);
  router.add({"GET", "/node/metadata", http::Lane::node, [](const http::Request&) {
                return http::json_response(api::NodeMetadata{
                    std::string{kVersion},
                    {"validate_file_hashes", "snapshot_groups", "release_snapshot_files", "check_only"}});
              }});

  using Start = http::Response (Node::*)(const http::Request&);
  struct Entry {
    const char* name;
    Start start;
  };
  for (const auto& [name, start] : std::initializer_list<Entry>{{"snapshot", &Node::start_snapshot},
                                                                {"upload", &Node::start_upload},
                                                                {"release", &Node::start_release},
                                                                {"download", &Node::start_download},
                                                                {"clear", &Node::start_clear}}) {
    const auto path = fmt::format("/node/{}", name);
    router.add({"POST", path, http::Lane::node, http::answering([this, start = start](const http::Request& request) {
                  return (this->*start)(request);
                })});
    add_result_route(router, path, name);
  }
  for (const auto& extension : extensions_) add_extension_routes(router, *extension);
}

void Node::add_lock_routes(http::Router& router) {
  const auto locked = [](bool is) { return http::json_response(api::LockResult{is}); };
  router.add({"POST", "/node/lock", http::Lane::node, http::answering([this, locked](const http::Request& request) {
                const auto query = http::read_query<LockQuery>(request);
                const auto answer = lock_.acquire(query.locker, time_to_live(query));
                return answer == Lock::Answer::done ? locked(true) : refusal(answer, lock_.holder(), {});
              })});
  router.add({"POST", "/node/relock", http::Lane::node, http::answering([this, locked](const http::Request& request) {
                const auto query = http::read_query<LockQuery>(request);
                const auto answer = lock_.extend(query.locker, time_to_live(query));
                return answer == Lock::Answer::done ? locked(true) : refusal(answer, lock_.holder(), "Not locked");
              })});
  router.add({"POST", "/node/unlock", http::Lane::node, http::answering([this, locked](const http::Request& request) {
                const auto answer = lock_.release(http::read_query<UnlockQuery>(request).locker);
                if (answer != Lock::Answer::done) return refusal(answer, lock_.holder(), "Already unlocked");
                tasks_.cancel();  // nobody waits for it any more
                return locked(false);
              })});
}

void Node::add_extension_routes(http::Router& router, Extension& extension) {
  for (Extension::Operation& operation : extension.operations()) {
    const auto path = fmt::format("/node/{}/{}", extension.name(), operation.name);
    const auto task_name = std::string{extension.name()};  // its operations share their results, as in Astacus
    router.add({"POST", path, http::Lane::node,
                http::answering([this, &extension, operation, task_name](const http::Request& request) {
                  const json::value body = http::body_value(request);
                  const auto base = http::read_request<api::NodeRequest>(body, "body");
                  if (operation.validate) operation.validate(body);
                  extension.require_allowed(operation.name);
                  require_lock();
                  return start(request, task_name, base.result_url, operation.shape,
                               [run = operation.run, body](Task& task) { return run(task, body); });
                })});
    add_result_route(router, path, task_name);
  }
}

void Node::add_result_route(http::Router& router, const std::string& path, const std::string& task_name) {
  router.add({"GET", path + "/{op_id}", http::Lane::node,
              http::answering([this, task_name](const http::Request& request) -> http::Response {
                const std::int64_t id = http::path_integer(request, "op_id");
                if (auto body = tasks_.find(task_name, id)) {
                  http::Response response;
                  response.body = std::move(*body);
                  return response;
                }
                http::refuse(404, http::unknown_operation(id));
              })});
}

void Node::require_lock() {
  if (!lock_.holder()) http::refuse(409, "Not locked");
}

http::Response Node::start(const http::Request& request, const std::string& task_name, const std::string& result_url,
                           Shape shape, Work work) {
  std::int64_t id = 0;
  try {
    id = tasks_.start(task_name, result_url, std::move(shape), std::move(work));
  } catch (const Error& error) {
    http::refuse(503, json::value(error.message()));
  }
  return http::json_response(api::StartResult{id, request.url_of(fmt::format("{}/{}", request.path, id))});
}

}  // namespace cherax::node
