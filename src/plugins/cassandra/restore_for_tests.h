#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/manual_clock.h"
#include "coordinator/fake_nodes.h"
#include "coordinator/restore.h"
#include "plugins/cassandra/messages.h"
#include "plugins/cassandra/plugin_data.h"
#include "storage/memory/memory_store.h"
#include "storage/temporary_directory.h"

namespace cherax::plugins::cassandra::test {

using namespace std::chrono_literals;

inline json::value parse(const std::string& text) { return json::parse(text).value(); }

inline constexpr coordinator::StepName kStep{"a step", "AStep"};
inline constexpr std::array kSteps{&kStep};

/// A restore onto three nodes whose answers the test gives, of a backup of three nodes.
class RestoreTest : public testing::Test {
 protected:
  RestoreTest() {
    for (const char* verb : {"lock", "unlock"}) {
      nodes_.on(fmt::format("POST /node/{}", verb), [verb](std::size_t, const http::Request&) {
        return http::json_response(api::LockResult{std::string_view{verb} == "lock"});
      });
    }
    lock_ = std::make_unique<coordinator::ClusterLock>(
        cluster_, lock_file_, system_clock(), coordinator::ClusterLock::Options{"me", 1h, [](const std::string&) {}});
    std::map<std::string, std::unique_ptr<storage::ObjectStore>> stores;
    stores.emplace("x", std::make_unique<storage::MemoryStore>());
    storages_ = std::make_unique<repository::Storages>(
        "x", std::move(stores), repository::CodecOptions{.compression = transform::Compression{}}, directory_.path(),
        std::nullopt);
    for (int i = 1; i <= 3; ++i) {
      data_.nodes.push_back({.address = fmt::format("10.9.0.{}", i),
                             .host_id = fmt::format("id-{}", i),
                             .listen_address = "",
                             .rack = fmt::format("r{}", i),
                             .tokens = {std::to_string(i)},
                             .datacenter = "dc1"});
      ConfigurationResult target;
      target.cluster_name = "c";
      target.own_addresses = {fmt::format("127.0.0.{}", i)};
      target.seeds = {"127.0.0.1"};
      target.seed_addresses = {{"127.0.0.1"}};
      target.datacenter = "dc1";
      target.rack = fmt::format("r{}", i);
      target.available_bytes = 10'000;
      target.available_files = 100;
      targets_.push_back(target);
    }
  }

  coordinator::Restore& restore(const api::RestoreRequest& request = {}) {
    restore_.emplace(coordinator::OperationContext{cluster_, operation_, plan_, *lock_, clock_},
                     storages_->default_storage(), request);
    return *restore_;
  }
  /// One that has found its backup, of nodes with these sizes.
  coordinator::Restore& found_restore(const api::RestoreRequest& request = {},
                                      const std::vector<std::int64_t>& sizes = {1, 2, 3}, std::int64_t files = 10) {
    std::vector<std::string> texts;
    for (const auto size : sizes) {
      texts.push_back(fmt::format(R"({{"hostname":"h","az":"z","files":{},"total_size":{},"hashes":[],
          "state":{{"root_globs":["**"]}}}})",
                                  files, size));
    }
    std::vector<MemorySource> sources;
    for (const auto& text : texts) sources.emplace_back(as_bytes(text));
    repository::NewManifest manifest{.start = Timestamp{1'700'000'000s},
                                     .end = Timestamp{1'700'000'001s},
                                     .plugin = "cassandra",
                                     .plugin_data = json::to_value(data_)};
    for (auto& source : sources) manifest.snapshot_results.push_back(&source);
    const auto name = storages_->default_storage().manifests().put(manifest);
    auto& restore = this->restore(request);
    restore.find_backup();
    EXPECT_EQ(restore.backup(), name);
    restore.read_manifest("cassandra");
    return restore;
  }
  static Error error_of(const std::function<void()>& work) {
    try {
      work();
    } catch (const Error& error) {
      return error;
    }
    return Error{ErrorKind::internal, "no error"};
  }
  void answer(const std::string& operation, std::function<std::string(std::size_t)> result) {
    nodes_.on("POST /node/cassandra/" + operation, [operation](std::size_t, const http::Request& request) {
      return http::json_response(api::StartResult{1, request.url_of("/node/" + operation + "/1")});
    });
    nodes_.on(fmt::format("GET /node/{}/1", operation),
              [result = std::move(result)](std::size_t node, const http::Request&) {
                return http::Response::json(result(node));
              });
  }
  void answer_configuration() {
    answer("get-configuration", [this](std::size_t node) {
      ConfigurationResult result = targets_.at(node);
      result.progress.final_ = true;
      return json::to_text(result);
    });
  }
  std::string node_name(std::size_t node) const { return cluster_.name(node); }

  storage::TemporaryDirectory directory_;
  coordinator::Operation operation_{1, "restore", "http://127.0.0.1:1"};
  coordinator::FakeNodes nodes_{3};
  coordinator::Cluster cluster_{nodes_.options, nodes_.client};
  coordinator::Plan plan_{kSteps, std::nullopt, operation_, operation_.stop()};
  coordinator::LockFile lock_file_{directory_.path() / "coordinator.lock"};
  std::unique_ptr<coordinator::ClusterLock> lock_;
  ManualClock clock_;
  std::unique_ptr<repository::Storages> storages_;
  PluginData data_;
  std::vector<ConfigurationResult> targets_;
  std::optional<coordinator::Restore> restore_;
};

}  // namespace cherax::plugins::cassandra::test
