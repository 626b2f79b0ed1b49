#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/manual_clock.h"
#include "http/json_body.h"
#include "plugins/cassandra/extension.h"
#include "storage/temporary_directory.h"

// For tests of this room: a node's half without Cassandra.
namespace cherax::plugins::cassandra::test {

namespace fs = std::filesystem;

constexpr const char* kOrders = "orders-8cd66ed0e79611f1b437e91975696754";
constexpr const char* kOrdersOfOtherId = "orders-59c573f0e79211f1a906a3cc472e365e";

/// A node below a directory of its own: directory/root/data, the other directories beside it, and a cassandra.yaml that
/// says so. Its ports are those that nothing listens on. Commands are shell scripts that the test writes.
class ExtensionTest : public testing::Test {
 protected:
  ExtensionTest() {
    for (const fs::path& made : {root() / "data", path("commitlog"), path("hints"), path("db"), path("tmp")})
      fs::create_directories(made);
    write(path("cassandra.yaml"), yaml());
    write_script("nodetool", "true");
    write_script("start", "true");
    write_script("stop", "true");
    node_.root = root();
    node_.db_path = path("db");
    node_.temporary_directory = path("tmp");
    options_.client.config_path = path("cassandra.yaml");
    options_.nodetool_command = {path("nodetool"), "-p", "7199"};
    options_.start_command = {path("start"), "--foreground"};
    options_.stop_command = {path("stop")};
    options_.access_level = AccessLevel::write;
    options_.jmx_port = 4;
  }

  /// Replaces a part of cassandra.yaml.
  void edit_yaml(const std::string& what, const std::string& by) const {
    auto text = yaml();
    ASSERT_NE(text.find(what), std::string::npos) << what;
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
      text.replace(at, what.size(), by);
    write(path("cassandra.yaml"), text);
  }

  fs::path path(const std::string& name) const { return directory_.path() / name; }
  fs::path root() const { return path("root"); }
  fs::path data() const { return root() / "data"; }
  /// Ours of the table shop.orders.
  fs::path snapshot() const { return data() / "shop" / kOrders / "snapshots/astacus-backup"; }
  std::string yaml() const {
    return fmt::format(R"(# as it was delivered
cluster_name: 'Test Cluster'
num_tokens: 16
listen_address: 127.0.0.1
rpc_address: 127.0.0.1
storage_port: 1
ssl_storage_port: 2
native_transport_port: 3
endpoint_snitch: SimpleSnitch
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters:
      - seeds: "127.0.0.1:1"
data_file_directories: [{0}/root/data]
commitlog_directory: {0}/commitlog
hints_directory: {0}/hints
saved_caches_directory: {0}/saved_caches
cdc_raw_directory: {0}/cdc_raw
)",
                       directory_.path().string());
  }
  static void write(const fs::path& file, std::string_view content) {
    fs::create_directories(file.parent_path());
    write_durably(file, content);
  }
  static std::string text(const fs::path& file) { return read_text(file, 1 << 20); }
  static bool is_there(const fs::path& file) { return status_of(file).has_value(); }
  /// Names, relative to `directory`, of all files below it.
  static std::vector<std::string> files_below(const fs::path& directory) {
    std::vector<std::string> names;
    if (!is_there(directory)) return names;
    for (const auto& entry : fs::recursive_directory_iterator{directory}) {
      if (!entry.is_directory()) names.push_back(entry.path().lexically_relative(directory));
    }
    std::ranges::sort(names);
    return names;
  }
  void write_script(const std::string& name, const std::string& body) const {
    write(path(name), "#!/bin/sh\n" + body + "\n");
    fs::permissions(path(name), fs::perms{0755});
  }
  /// A script that appends its name and arguments to the file `calls`.
  void record_calls_of(const std::string& name, const std::string& then = "true") const {
    write_script(name, fmt::format("echo {} \"$@\" >> {}\n{}", name, path("calls").string(), then));
  }
  std::string calls() const { return is_there(path("calls")) ? text(path("calls")) : ""; }

  Extension& extension() {
    if (!extension_) extension_ = std::make_unique<Extension>(options_, node_, clock_);
    return *extension_;
  }
  /// Runs an operation as the node does, and returns its result.
  json::value run(const std::string& name, const std::string& request = "{}") {
    for (const auto& operation : extension().operations()) {
      if (operation.name != name) continue;
      const auto body = json::parse(request).value();
      if (operation.validate) operation.validate(body);
      extension().require_allowed(name);
      node::Task task{api::NodeResult{"host", "az1", {}, {}}};
      return json::parse(operation.run(task, body).text(http::kBodyInMemory)).value();
    }
    ADD_FAILURE() << "there is no operation " << name;
    return nullptr;
  }
  /// The message of the Error that it ends with.
  std::string error_of(const std::string& name, const std::string& request = "{}") {
    try {
      run(name, request);
    } catch (const Error& error) {
      return error.message();
    }
    return "no error";
  }

  storage::TemporaryDirectory directory_;
  ManualClock clock_;
  NodeOptions options_;
  node::NodeOptions node_;

 private:
  std::unique_ptr<Extension> extension_;
};

}  // namespace cherax::plugins::cassandra::test
