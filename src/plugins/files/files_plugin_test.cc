#include "plugins/files/files_plugin.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <mutex>

#include "coordinator/coordinator.h"
#include "node/node_for_tests.h"
#include "storage/memory/faulty_store.h"
#include "storage/memory/memory_store.h"
#include "transform/digest.h"

namespace cherax::plugins::files {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using node::test::write_old;
using testing::ElementsAre;
using testing::HasSubstr;
using Fault = std::function<void(storage::FaultyStore::Operation, const std::string& key)>;
using Operation = storage::FaultyStore::Operation;

std::string hex_of(std::string_view content) {
  MemorySource source{as_bytes(content)};
  return transform::digest_of(source).hex();
}

/// Path below the root → the content's digest, without what Cherax keeps there.
std::map<std::string, std::string> tree(const fs::path& root) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator{root}) {
    const auto path = entry.path().lexically_relative(root);
    if (entry.is_regular_file() && *path.begin() != ".astacus") files[path] = hex_of(read_text(entry.path(), 1 << 20));
  }
  return files;
}

/// The store that all share, as one server sees it.
struct View {
  View(storage::ObjectStore& store, const fs::path& temporary_directory)
      : storages(node::test::storages_on(
            std::make_unique<storage::FaultyStore>(
                store, storage::FaultyStore::Faults{.before =
                                                        [this](Operation operation, const std::string& key) {
                                                          if (fault) fault(operation, key);
                                                        },
                                                    .alter = {}}),
            temporary_directory)) {}

  Fault fault;
  std::unique_ptr<repository::Storages> storages;
};

/// A server: its node has files below directory/root.
struct Server {
  Server(storage::ObjectStore& store, const fs::path& directory, http::Client& client, std::string az)
      : options(node::test::options_below(directory)), view(store, directory / "tmp") {
    options.az = std::move(az);
    served = std::make_unique<node::test::ServedNode>(options, *view.storages, client, system_clock());
  }

  node::NodeOptions options;
  View view;
  std::unique_ptr<node::test::ServedNode> served;
};

/// A coordinator that is served.
class ServedCoordinator {
 public:
  ServedCoordinator(const coordinator::CoordinatorOptions& options, repository::Storages& storages,
                    http::Client& client)
      : client_(client),
        coordinator_(options, std::make_unique<FilesPlugin>(FilesOptions{{"**"}}), storages, client, system_clock()) {
    http::Router router;
    coordinator_.add_routes(router);
    server_ = std::make_unique<http::Server>(
        http::ServerOptions{.port = 0, .spool_directory = options.temporary_directory}, std::move(router));
  }
  ~ServedCoordinator() { coordinator_.stop(); }

  node::test::Answer ask(const std::string& method, const std::string& path, const std::string& body = {}) {
    return node::test::ask(client_, method, fmt::format("http://127.0.0.1:{}{}", server_->port(), path), body);
  }
  /// Runs an operation to its end and returns its status.
  json::value run(const std::string& path, const std::string& body = {}) {
    const auto started = ask("POST", path, body);
    EXPECT_EQ(started.status, 200) << started.body;
    if (started.status != 200) return nullptr;
    json::value status;
    node::test::wait_until([&] {
      status = node::test::ask(client_, "GET", std::string{started.body.at("status_url").as_string()}).body;
      return status.at("state") == "done" || status.at("state") == "fail";
    });
    return status;
  }

 private:
  http::Client& client_;
  coordinator::Coordinator coordinator_;
  std::unique_ptr<http::Server> server_;
};

class FilesPluginTest : public testing::Test {
 protected:
  FilesPluginTest() {
    for (std::size_t i = 0; i < 3; ++i) {
      servers_.push_back(
          std::make_unique<Server>(store_, directory_.path() / std::to_string(i), client_, i < 2 ? "a" : "b"));
      write_old(root(i) / "own", own(i));
      write_old(root(i) / "shared", shared());
      write_old(root(i) / "deep/small", "small");
    }
    options_.backup_attempts = 3;
    options_.poll.delay_start = 1ms;
    options_.poll.delay_max = 5ms;
    options_.db_path = options_.temporary_directory = directory_.path();
    options_.gc_grace = 0s;
    for (const auto& server : servers_) options_.nodes.push_back({server->served->url("/node"), server->options.az});
  }

  static std::string own(std::size_t i) { return fmt::format("only on {} ", i) + std::string(1000, 'x'); }
  static std::string shared() { return std::string(3000, 's'); }
  fs::path root(std::size_t i) const { return servers_[i]->options.root; }
  std::vector<std::map<std::string, std::string>> trees() const {
    std::vector<std::map<std::string, std::string>> all;
    for (std::size_t i = 0; i < servers_.size(); ++i) all.push_back(tree(root(i)));
    return all;
  }
  ServedCoordinator& coordinator() {
    if (!coordinator_) coordinator_ = std::make_unique<ServedCoordinator>(options_, *view_.storages, client_);
    return *coordinator_;
  }
  /// Another coordinator, of other nodes.
  ServedCoordinator& coordinator_of(std::vector<coordinator::NodeAddress> nodes) {
    options_.nodes = std::move(nodes);
    coordinator_.reset();
    return coordinator();
  }
  coordinator::NodeAddress address(std::size_t i, std::string az = "a") const {
    return {servers_[i]->served->url("/node"), std::move(az)};
  }
  std::string back_up() {
    const auto status = coordinator().run("/backup");
    EXPECT_EQ(status.at("state"), "done") << status;
    return std::string{status.at("backup").as_string()};
  }
  /// What a restore that has to fail says.
  std::string failure_of_restore(const std::string& body) {
    const auto status = coordinator().run("/restore", body);
    EXPECT_EQ(status.at("state"), "fail") << body;
    return status.as_object().contains("error") ? std::string{status.at("error").as_string()} : "";
  }
  std::vector<std::string> manifests() {
    std::vector<std::string> names;
    for (const auto& name : view_.storages->default_storage().manifests().list()) names.push_back(name.full());
    return names;
  }
  repository::Manifest manifest(const std::string& name) {
    return view_.storages->default_storage().manifests().open(repository::BackupName::parse(name).value()).read();
  }
  bool is_stored(std::string_view content) { return store_.head({"data/" + hex_of(content)}).has_value(); }
  void remove_block(std::string_view content) {
    const std::vector keys{storage::ObjectKey{"data/" + hex_of(content)}};
    store_.remove(keys);
  }
  void expect_no_hard_link_left() const {
    for (const auto& server : servers_) {
      for (const auto& entry : fs::recursive_directory_iterator{server->options.root}) {
        if (!entry.is_regular_file()) continue;
        EXPECT_EQ(entry.hard_link_count(), 1U) << entry.path();
      }
    }
  }
  /// The locker of the operation under way.
  std::string locker() const {
    std::string text = read_text(directory_.path() / "coordinator.lock", 1000);
    text.pop_back();
    return text;
  }

  storage::TemporaryDirectory directory_;
  storage::MemoryStore store_;
  http::Client client_{{.spool_directory = "/tmp"}};
  std::vector<std::unique_ptr<Server>> servers_;
  View view_{store_, directory_.path() / "tmp"};
  coordinator::CoordinatorOptions options_;
  std::unique_ptr<ServedCoordinator> coordinator_;
};

TEST_F(FilesPluginTest, BringsBackEveryNodesFiles) {
  const auto before = trees();
  const auto name = back_up();
  expect_no_hard_link_left();
  fs::remove(root(0) / "own");
  write_old(root(1) / "shared", "changed");
  write_old(root(2) / "deep/surplus", std::string(999, 'z'));
  const auto status = coordinator().run("/restore", fmt::format(R"({{"name":"{}"}})", name));
  EXPECT_EQ(status.at("state"), "done") << status;
  EXPECT_EQ(status.at("backup"), json::to_value(name));
  EXPECT_EQ(trees(), before);
}

TEST_F(FilesPluginTest, TheManifestSaysWhatEachNodeHasAndWhoUploaded) {
  const auto name = back_up();
  const auto manifest = this->manifest(name);
  EXPECT_EQ(manifest.plugin, "files");
  EXPECT_EQ(manifest.attempt, 1);
  EXPECT_EQ(manifest.plugin_data, json::object{});
  ASSERT_EQ(manifest.snapshot_results.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(manifest.snapshot_results[i].files, 3);
    EXPECT_EQ(manifest.snapshot_results[i].az, i < 2 ? "a" : "b");
    EXPECT_THAT(manifest.snapshot_results[i].state->root_globs, ElementsAre("**"));
  }
  std::int64_t uploaded = 0;
  for (const auto& upload : manifest.upload_results) uploaded += upload.total_size;
  EXPECT_EQ(uploaded, static_cast<std::int64_t>(own(0).size() * 3 + shared().size())) << "each content once";

  EXPECT_TRUE(this->manifest(back_up()).upload_results.empty()) << "nothing is new";
  write_old(root(1) / "new", std::string(500, 'n'));
  EXPECT_EQ(this->manifest(back_up()).upload_results.size(), 1U) << "only nodes that uploaded";
}

TEST_F(FilesPluginTest, TriesAgainAfterAFailedUpload) {
  std::atomic<int> failures{1};
  servers_[1]->view.fault = [&](Operation operation, const std::string&) {
    if (operation == Operation::put && failures-- > 0) fail(ErrorKind::transient, "connection lost");
  };
  const auto status = coordinator().run("/backup");
  EXPECT_EQ(status.at("state"), "done") << status;
  EXPECT_EQ(status.at("attempt"), 2);
  EXPECT_EQ(manifest(manifests().at(0)).attempt, 2);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(is_stored(own(i)));
  expect_no_hard_link_left();
}

TEST_F(FilesPluginTest, TheLastFailureLeavesNothingBehindAndNamesTheNode) {
  servers_[1]->view.fault = [&](Operation operation, const std::string&) {
    if (operation == Operation::put) fail(ErrorKind::denied, "the bucket is read-only");
  };
  const auto status = coordinator().run("/backup");
  EXPECT_EQ(status.at("state"), "fail");
  EXPECT_EQ(status.at("attempt"), 3);
  const std::string error{status.at("error").as_string()};
  EXPECT_THAT(error, HasSubstr("the bucket is read-only"));
  EXPECT_THAT(error, HasSubstr(servers_[1]->served->url()));
  EXPECT_THAT(error, HasSubstr("upload it"));
  EXPECT_TRUE(manifests().empty());
  expect_no_hard_link_left();
  EXPECT_EQ(servers_[1]->served->ask("POST", "/node/relock?locker=x&ttl=1").status, 409) << "and is unlocked";
}

TEST_F(FilesPluginTest, AFileThatChangesUnderItsHardLinkFailsOnlyThatAttempt) {
  std::once_flag once;
  // The first upload to begin finds a file changed that is still to be sent.
  view_.fault = [&](Operation operation, const std::string&) {
    if (operation != Operation::head && operation != Operation::list) return;
    std::call_once(once, [&] {
      File changed{root(2) / "own", O_WRONLY};
      changed.write(as_bytes("CHANGED"));
    });
  };
  const auto status = coordinator().run("/backup");
  EXPECT_EQ(status.at("state"), "done") << status;
  EXPECT_EQ(status.at("attempt"), 2);
  EXPECT_FALSE(is_stored(own(2)));
  const auto before = trees();
  for (std::size_t i = 0; i < 3; ++i) fs::remove(root(i) / "own");
  coordinator().run("/restore");
  EXPECT_EQ(trees(), before);
}

TEST_F(FilesPluginTest, ALostLockEndsTheBackupBeforeItsManifest) {
  std::once_flag once;
  servers_[1]->view.fault = [&](Operation operation, const std::string&) {
    if (operation != Operation::sync) return;  // the last thing that an upload does
    std::call_once(once, [&] {
      EXPECT_EQ(servers_[1]->served->ask("POST", "/node/unlock?locker=" + http::percent_encode(locker())).status, 200);
    });
  };
  const auto status = coordinator().run("/backup");
  EXPECT_EQ(status.at("state"), "fail");
  EXPECT_THAT(std::string{status.at("error").as_string()}, HasSubstr("the cluster lock is not certain any more"));
  EXPECT_THAT(std::string{status.at("error").as_string()}, HasSubstr(servers_[1]->served->url()));
  EXPECT_EQ(status.at("attempt"), 1) << "there is nothing to try again without the lock";
  EXPECT_TRUE(manifests().empty());
}

TEST_F(FilesPluginTest, ABlockThatVanishesBeforeTheCommitFailsTheAttempt) {
  back_up();
  write_old(root(0) / "new", std::string(500, 'n'));
  const auto vanish = [&](Operation operation, const std::string&) {
    if (operation == Operation::sync) remove_block(shared());
  };
  for (const auto& server : servers_) server->view.fault = vanish;
  options_.backup_attempts = 1;
  coordinator_.reset();
  const auto status = coordinator().run("/backup");
  EXPECT_EQ(status.at("state"), "fail");
  EXPECT_THAT(std::string{status.at("error").as_string()}, HasSubstr(hex_of(shared()) + " vanished from memory:"));
  EXPECT_EQ(manifests().size(), 1U);
}

TEST_F(FilesPluginTest, ABlockThatVanishedIsUploadedByTheNextAttempt) {
  back_up();
  write_old(root(0) / "new", std::string(500, 'n'));
  std::once_flag once;
  const auto vanish = [&](Operation operation, const std::string&) {
    if (operation == Operation::sync) std::call_once(once, [&] { remove_block(shared()); });
  };
  for (const auto& server : servers_) server->view.fault = vanish;
  const auto status = coordinator().run("/backup");
  EXPECT_EQ(status.at("state"), "done") << status;
  EXPECT_EQ(status.at("attempt"), 2);
  EXPECT_TRUE(is_stored(shared()));
}

TEST_F(FilesPluginTest, ASecondOperationIsToldWhoHoldsTheLock) {
  std::promise<void> begun, open;
  auto opened = open.get_future().share();
  std::once_flag once;
  view_.fault = [&](Operation, const std::string&) {
    std::call_once(once, [&] {
      begun.set_value();
      opened.wait();
    });
  };
  coordinator().ask("POST", "/backup");
  begun.get_future().wait();
  const std::string holder = locker();
  const auto second = coordinator().ask("POST", "/restore");
  open.set_value();
  node::test::wait_until([&] { return coordinator().ask("GET", "/backup/1").body.at("state") == "done"; });
  EXPECT_EQ(second.status, 409);
  const auto& holders = second.body.at("holders").as_array();
  ASSERT_EQ(holders.size(), 3U);
  EXPECT_EQ(holders[1].at("node"), json::to_value(servers_[1]->served->url()));
  EXPECT_EQ(holders[1].at("locker"), json::to_value(holder));
}

TEST_F(FilesPluginTest, ListsBackupsAndCleansUpWhatOnlyTheDeletedNeed) {
  back_up();
  write_old(root(0) / "own", "now it is another content " + std::string(500, 'y'));
  const auto second = back_up();
  const auto list = coordinator().ask("GET", "/list").body.at("storages").at(0).at("backups").as_array();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ("backup-" + std::string{list[1].at("name").as_string()}, second);
  EXPECT_EQ(list[0].at("nodes"), 3);
  EXPECT_EQ(list[0].at("files"), 9);
  EXPECT_EQ(list[0].at("plugin"), "files");
  EXPECT_EQ(list[0].at("upload_size"), own(0).size() * 3 + shared().size());
  EXPECT_EQ(list[1].at("upload_size"), 526);

  const auto status = coordinator().run("/cleanup", R"({"retention":{"minimum_backups":1,"maximum_backups":1}})");
  EXPECT_EQ(status.at("state"), "done") << status;
  EXPECT_THAT(manifests(), ElementsAre(second));
  EXPECT_FALSE(is_stored(own(0))) << "only the first one had it";
  EXPECT_TRUE(is_stored(own(1)));
  EXPECT_TRUE(is_stored(shared()));
  const auto before = trees();
  fs::remove(root(0) / "own");
  EXPECT_EQ(coordinator().run("/restore").at("state"), "done");
  EXPECT_EQ(trees(), before);
}

TEST_F(FilesPluginTest, StopsAfterTheStepThatWasNamedWithNothingTouched) {
  back_up();
  fs::remove(root(0) / "own");
  const auto before = trees();
  const auto status = coordinator().run("/restore", R"({"stop_after_step":"MapNodesStep"})");
  EXPECT_EQ(status.at("state"), "done");
  EXPECT_EQ(status.at("step").at("name"), "map the backup's nodes to nodes");
  EXPECT_EQ(trees(), before);
  EXPECT_EQ(coordinator().ask("POST", "/restore", R"({"stop_after_step":"SnapshotStep"})").status, 422)
      << "a step of a backup";
}

TEST_F(FilesPluginTest, RestoresTheLatestBackupUnlessOneIsNamed) {
  const auto first = back_up();
  const auto old = trees();
  write_old(root(0) / "later", std::string(300, 'l'));
  back_up();
  const auto latest = trees();
  MemorySource delta{as_bytes("{}")};
  store_.put({"json/delta-2999-01-01T00:00:00+00:00"}, delta, {}, storage::PutMode::if_absent);
  fs::remove(root(0) / "later");
  EXPECT_EQ(coordinator().run("/restore").at("state"), "done") << "a delta is no backup";
  EXPECT_EQ(trees(), latest);
  const auto short_name = first.substr(std::string_view{"backup-"}.size());
  coordinator().run("/restore", fmt::format(R"({{"name":"{}"}})", short_name));
  EXPECT_EQ(trees(), old);
  EXPECT_THAT(failure_of_restore(R"({"name":"2001-01-01T00:00:00+00:00"})"), HasSubstr("its latest are: " + first));
}

TEST_F(FilesPluginTest, AZoneOfTheBackupGoesWholeToAZoneOfItsSize) {
  const auto before = trees();  // nodes 0 and 1 are in zone a, node 2 is in b
  back_up();
  auto& other = coordinator_of({address(0, "p"), address(1, "q"), address(2, "q")});
  EXPECT_EQ(other.run("/restore").at("state"), "done");
  EXPECT_THAT(trees(), ElementsAre(before[2], before[0], before[1]));
}

TEST_F(FilesPluginTest, SaysWhatIsMissingToTakeAllZones) {
  back_up();
  coordinator_of({address(0, "p"), address(1, "p"), address(2, "p")});
  EXPECT_THAT(failure_of_restore("{}"), HasSubstr("the backup is of 2 availability zones, but only 1 are configured"));
  coordinator_of({address(0, "p"), address(1, "q")});
  EXPECT_THAT(failure_of_restore("{}"), HasSubstr("the backup is of 3 nodes, but only 2 are configured"));
  coordinator_of({address(0, "p"), address(1, "q"), address(2, "r")});
  EXPECT_THAT(failure_of_restore("{}"), HasSubstr("the backup's zone \"a\" has 2 nodes, but zone"));
}

TEST_F(FilesPluginTest, ANodeWithoutASnapshotIsEmptied) {
  coordinator_of({address(0), address(1)});
  back_up();
  const auto before = trees();
  coordinator_of({address(0, "a"), address(1, "a"), address(2, "b")});
  EXPECT_EQ(coordinator().run("/restore").at("state"), "done");
  EXPECT_THAT(trees(), ElementsAre(before[0], before[1], std::map<std::string, std::string>{}));
}

TEST_F(FilesPluginTest, APartialRestoreTouchesOnlyTheNamedNodes) {
  back_up();
  const auto before = trees();
  for (std::size_t i = 0; i < 3; ++i) write_old(root(i) / "surplus", std::string(300, 'z'));
  auto expected = trees();
  const auto status =
      coordinator().run("/restore", fmt::format(R"({{"partial_restore_nodes":[{{"backup_index":0,"node_index":2}},
          {{"backup_index":1,"node_url":"{}"}}]}})",
                                                servers_[1]->served->url("/node")));
  EXPECT_EQ(status.at("state"), "done") << status;
  expected[2] = before[0];
  expected[1] = before[1];
  EXPECT_EQ(trees(), expected);
}

TEST_F(FilesPluginTest, RefusesAPartialRestoreThatIsNotClear) {
  back_up();
  const auto before = trees();
  for (const char* entries : {
           R"({"backup_index":3,"node_index":0})",
           R"({"backup_index":-1,"node_index":0})",
           R"({"backup_index":0,"node_index":3})",
           R"({"backup_hostname":"no-such-host","node_index":0})",
           R"({"backup_index":0,"node_url":"http://elsewhere/node"})",
           R"({"backup_index":0})",
           R"({"node_index":0})",
           R"({"backup_index":0,"backup_hostname":"x","node_index":0})",
           R"({"backup_index":0,"node_index":0,"node_url":"http://elsewhere/node"})",
           R"({"backup_index":0,"node_index":1},{"backup_index":1,"node_index":1})",
       }) {
    const auto answer =
        coordinator().ask("POST", "/restore", fmt::format(R"({{"partial_restore_nodes":[{}]}})", entries));
    if (answer.status == 422) continue;
    EXPECT_EQ(answer.status, 200) << answer.body;
    json::value status;
    node::test::wait_until([&] {
      const auto url = std::string{answer.body.at("status_url").as_string()};
      status = node::test::ask(client_, "GET", url).body;
      return status.at("state") == "done" || status.at("state") == "fail";
    });
    EXPECT_EQ(status.at("state"), "fail") << entries;
  }
  EXPECT_EQ(trees(), before);
}

TEST_F(FilesPluginTest, ARestoreNamesTheNodeAndTheObjectThatIsDamaged) {
  back_up();
  for (std::size_t i = 0; i < 3; ++i) fs::remove(root(i) / "own");
  remove_block(own(1));
  const auto error = failure_of_restore("{}");
  EXPECT_THAT(error, HasSubstr("download the files: download on " + servers_[1]->served->url() + " failed"));
  EXPECT_THAT(error, HasSubstr(hex_of(own(1))));
}

TEST_F(FilesPluginTest, RefusesABackupOfAnotherPlugin) {
  view_.storages->default_storage().manifests().put(
      {.start = Timestamp{1'700'000'000s}, .end = Timestamp{1'700'000'000s}, .plugin = "cassandra"});
  EXPECT_THAT(failure_of_restore("{}"), HasSubstr("was made by the plugin cassandra, but this coordinator is "
                                                  "configured for files"));
}

TEST_F(FilesPluginTest, AnEmptyClusterAndAnEmptyStoreAreErrors) {
  EXPECT_THAT(failure_of_restore("{}"), HasSubstr("memory: holds no backup"));
  const auto status = coordinator_of({}).run("/backup");
  EXPECT_EQ(status.at("state"), "fail");
  EXPECT_THAT(std::string{status.at("error").as_string()}, HasSubstr("coordinator.nodes is empty"));
}

TEST_F(FilesPluginTest, ARestoreCountsBytesAndABackupFilesAndThenBlocks) {
  const auto backup = coordinator().run("/backup").at("progress");
  constexpr int kFiles = 9, kBlocks = 4;
  EXPECT_EQ(backup.at("handled"), kFiles + kBlocks);
  EXPECT_EQ(backup.at("total"), kFiles + kBlocks);
  for (std::size_t i = 0; i < 3; ++i) fs::remove_all(root(i) / "deep");
  const auto restore = coordinator().run("/restore").at("progress");
  const auto all = 3 * (3 + own(0).size() + shared().size() + std::string_view{"small"}.size());
  EXPECT_EQ(restore.at("total"), all);
  EXPECT_EQ(restore.at("handled"), all);
  EXPECT_EQ(restore.at("final"), true);
}

}  // namespace
}  // namespace cherax::plugins::files
