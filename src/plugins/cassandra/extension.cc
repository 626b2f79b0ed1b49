#include "plugins/cassandra/extension.h"

#include "base/command.h"
#include "cassandra/addresses.h"
#include "http/json_body.h"

namespace cherax::plugins::cassandra {

namespace lib = ::cherax::cassandra;

namespace {

template <class Result>
json::value shape_of(const api::NodeResult& result) {
  Result shaped;
  static_cast<api::NodeResult&>(shaped) = result;
  return json::to_value(shaped);
}

constexpr std::array kReadOperations{"get-schema-hash",   "remove-snapshot", "take-snapshot",
                                     "get-configuration", "get-ring",        "get-builds"};

}  // namespace

Extension::Extension(std::optional<NodeOptions> options, node::NodeOptions node, Clock& clock)
    : options_(std::move(options)), node_(std::move(node)), clock_(clock) {}

void Extension::require_allowed(std::string_view operation) const {
  if (!options_) http::refuse(409, "Cassandra node configuration not found");
  if (options_->access_level == AccessLevel::write ||
      std::ranges::find(kReadOperations, operation) != kReadOperations.end())
    return;
  http::refuse(403, json::value(fmt::format("Cassandra subop {} is not allowed on access level read", operation)));
}

/// `work(request, task)` returns the result without its NodeResult, or nothing for a plain one.
template <class Request, class Work>
node::Extension::Operation Extension::operation(const std::string& name, node::Shape shape, Work work) {
  const auto run = [this, work](node::Task& task, const json::value& body) {
    const auto request = http::read_request<Request>(body, "body");
    if constexpr (std::is_void_v<decltype(work(*this, request, task))>) {
      work(*this, request, task);
      return http::Body{json::to_text(task.final_result())};
    } else {
      auto result = work(*this, request, task);
      static_cast<api::NodeResult&>(result) = task.final_result();
      return http::Body{json::to_text(result)};
    }
  };
  const auto validate = [](const json::value& body) { http::read_request<Request>(body, "body"); };
  return {name, std::move(shape), run, validate};
}

std::vector<node::Extension::Operation> Extension::operations() {
  using Plain = api::NodeRequest;
  using Task = node::Task;
  using E = Extension;
  const node::Shape plain = node::plain_shape;
  return {
      operation<Plain>("get-configuration", shape_of<ConfigurationResult>,
                       [](E& e, const Plain&, Task&) { return e.get_configuration(); }),
      operation<Plain>("get-ring", shape_of<RingResult>, [](E& e, const Plain&, Task&) { return e.get_ring(); }),
      operation<Plain>("get-builds", shape_of<BuildsResult>, [](E& e, const Plain&, Task&) { return e.get_builds(); }),
      operation<Plain>("get-schema-hash", shape_of<SchemaHashResult>,
                       [](E& e, const Plain&, Task&) { return e.get_schema_hash(); }),
      operation<Plain>("take-snapshot", shape_of<TakeSnapshotResult>,
                       [](E& e, const Plain&, Task& t) { return e.take_snapshot(t.stop()); }),
      operation<Plain>("remove-snapshot", plain, [](E& e, const Plain&, Task&) { e.remove_snapshot(); }),
      operation<StopRequest>("stop-cassandra", plain,
                             [](E& e, const StopRequest& r, Task& t) { e.stop_cassandra(r, t.stop()); }),
      operation<ClearRequest>("unrestore-sstables", plain, [](E& e, const ClearRequest& r, Task&) { e.clear(r); }),
      operation<StartRequest>("start-cassandra", plain,
                              [](E& e, const StartRequest& r, Task& t) { e.start_cassandra(r, t.stop()); }),
      operation<PlaceRequest>("restore-sstables", plain, [](E& e, const PlaceRequest& r, Task&) { e.place(r); }),
      operation<FinishRequest>("finish-restore", plain,
                               [](E& e, const FinishRequest& r, Task&) { e.finish_restore(r); }),
  };
}

lib::Configuration Extension::configuration() const {
  return lib::load_configuration(options_->client.config_path.value());
}

lib::Directories Extension::directories() const {
  return in_context(options_->client.config_path.value(),
                    [&] { return lib::resolve_directories(configuration(), options_->storage_directory); });
}

void Extension::require_data_directory() const {
  const auto data = directories().data;
  const auto same = [&](const std::filesystem::path& path) {
    return path.lexically_normal() == data_directory().lexically_normal();
  };
  if (data.size() == 1 && same(data.front())) return require_no_link(data_directory());
  std::string found;
  for (const auto& path : data) found += fmt::format("{}{}", found.empty() ? "" : ", ", path.string());
  fail(ErrorKind::invalid, "{} keeps its data in {}, but node.root {} means exactly {}",
       options_->client.config_path.value(), found, node_.root.string(), data_directory().string());
}

void Extension::require_no_link(const std::filesystem::path& directory) {
  if (!std::filesystem::is_symlink(directory)) return;
  fail(ErrorKind::invalid,
       "{} is a symbolic link to {}, and links are not followed: mount or move what is there to its place, or set "
       "node.root and Cassandra's directories to where it is",
       directory.string(), std::filesystem::read_symlink(directory).string());
}

lib::NodeTraces Extension::traces() const {
  const auto config = configuration();
  const auto& client = options_->client;
  const auto addresses = in_context(client.config_path.value(), [&] { return lib::listen_addresses(config); });
  lib::NodeTraces traces;
  traces.directories = directories().all();
  const auto add = [&](const std::string& host, std::uint16_t port, const char* what) {
    traces.endpoints.push_back({host, port, what});
  };
  // Cassandra's command line may say otherwise than its file; then the client has been told.
  auto hosts = client.hostnames;
  hosts.push_back(addresses.rpc);
  for (const auto& host : hosts) add(host, client.port.value_or(config.native_transport_port), "native transport port");
  if (client.port) add(addresses.rpc, config.native_transport_port, "native transport port");
  if (const auto tls = config.native_transport_port_ssl) add(addresses.rpc, *tls, "TLS native transport port");
  add(addresses.listen, config.storage_port, "storage port");
  add(addresses.listen, config.ssl_storage_port, "TLS storage port");
  traces.endpoints.push_back({options_->jmx_address, options_->jmx_port, "JMX port"});
  return traces;
}

std::string Extension::run(const std::vector<std::string>& command, std::vector<std::string> arguments,
                           std::stop_token stop) const {
  Command full{command, current_environment()};
  full.arguments.insert(full.arguments.end(), arguments.begin(), arguments.end());
  full.arguments.front() = resolve_program(full.arguments.front()).string();
  return run_command_checked(full, command_deadline(), std::move(stop));
}

}  // namespace cherax::plugins::cassandra
