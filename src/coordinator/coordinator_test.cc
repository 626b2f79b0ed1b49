#include "coordinator/coordinator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "base/file.h"
#include "coordinator/fake_nodes.h"
#include "storage/memory/faulty_store.h"
#include "storage/memory/memory_store.h"
#include "storage/temporary_directory.h"

namespace cherax::coordinator {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

json::value parse(const std::string& text) { return json::parse(text).value(); }

constexpr StepName kFirst{"first things", "FirstStep"};
constexpr StepName kSecond{"then the second", "SecondStep"};
constexpr std::array kSteps{&kFirst, &kSecond};

/// A plugin whose steps do what the test says.
struct Script {
  std::function<void(Backup&)> backup = [](Backup&) {};
  std::function<void(Restore&)> restore = [](Restore&) {};
};

class FakePlugin final : public Plugin {
 public:
  explicit FakePlugin(Script& script) : script_(script) {}
  std::string_view name() const override { return "fake"; }
  StepList backup_steps() const override { return kSteps; }
  StepList restore_steps() const override { return kSteps; }
  void backup(Backup& backup) override { script_.backup(backup); }
  void restore(Restore& restore) override { script_.restore(restore); }

 private:
  Script& script_;
};

struct Answer {
  int status = 0;
  json::value body;
};

/// A served coordinator of three nodes, which lock and unlock as they should; storages "x" (the default) and "y".
class CoordinatorTest : public testing::Test {
 protected:
  CoordinatorTest() {
    for (const char* verb : {"lock", "relock", "unlock"}) {
      nodes_.on(fmt::format("POST /node/{}", verb), [verb](std::size_t, const http::Request&) {
        return http::json_response(api::LockResult{std::string_view{verb} != "unlock"});
      });
    }
    options_ = nodes_.options;
    options_.db_path = directory_.path();
    options_.temporary_directory = directory_.path();
    options_.backup_attempts = 3;
    options_.default_lock_ttl = 1h;
  }
  ~CoordinatorTest() override {
    if (coordinator_) coordinator_->stop();
    server_.reset();
  }

  void serve() {
    std::map<std::string, std::unique_ptr<storage::ObjectStore>> stores;
    for (const char* name : {"x", "y"}) {
      stores.emplace(name,
                     std::make_unique<storage::FaultyStore>(
                         stores_[name], storage::FaultyStore::Faults{
                                            .before =
                                                [this](auto operation, const std::string&) {
                                                  if (operation == storage::FaultyStore::Operation::list && on_list_)
                                                    on_list_();
                                                },
                                            .alter = {}}));
    }
    storages_ = std::make_unique<repository::Storages>(
        "x", std::move(stores), repository::CodecOptions{.compression = transform::Compression{}}, directory_.path(),
        std::nullopt);
    coordinator_ = std::make_unique<Coordinator>(options_, std::make_unique<FakePlugin>(script_), *storages_, *client_,
                                                 system_clock());
    http::Router router;
    coordinator_->add_routes(router);
    server_ = std::make_unique<http::Server>(http::ServerOptions{.port = 0, .spool_directory = directory_.path()},
                                             std::move(router));
  }
  std::string url(std::string_view path) const { return fmt::format("http://127.0.0.1:{}{}", server_->port(), path); }
  Answer ask(const std::string& method, const std::string& path, const std::string& body = {},
             http::Headers headers = {}) {
    http::ClientRequest request;
    request.method = method;
    request.url = path.starts_with("http") ? path : url(path);
    request.body = http::Body{body};
    request.headers = std::move(headers);
    const auto response = nodes_.client.perform(std::move(request));
    const std::string text = response.body.text(http::kBodyInMemory);
    const auto parsed = json::parse(text);
    return {response.status, parsed ? *parsed : json::value(text)};
  }
  json::value wait_until_over(const Answer& started) {
    EXPECT_EQ(started.status, 200) << started.body;
    if (started.status != 200) return nullptr;
    for (;;) {
      const auto status = ask("GET", std::string{started.body.at("status_url").as_string()}).body;
      if (status.at("state") == "done" || status.at("state") == "fail") return status;
      std::this_thread::yield();
    }
  }
  json::value run(const std::string& path, const std::string& body = {}) {
    return wait_until_over(ask("POST", path, body));
  }
  /// Writes a manifest of no nodes.
  std::string put_backup(const std::string& storage, Timestamp start) {
    return storages_->find(storage).manifests().put({.start = start, .end = start, .plugin = "fake"}).full();
  }
  void refuse_locks() {
    nodes_.on("POST /node/lock", [](std::size_t node, const http::Request&) {
      if (node != 1) return http::json_response(api::LockResult{true});
      return http::Response::json(R"({"detail":"Already locked","holder":{"locker":"other","expires_in":12.5}})", 409);
    });
  }

  storage::TemporaryDirectory directory_;
  std::map<std::string, storage::MemoryStore> stores_;
  std::function<void()> on_list_;
  FakeNodes nodes_{3};
  http::Client* client_ = &nodes_.client;
  CoordinatorOptions options_;
  Script script_;
  std::unique_ptr<repository::Storages> storages_;
  std::unique_ptr<Coordinator> coordinator_;
  std::unique_ptr<http::Server> server_;
};

TEST_F(CoordinatorTest, AnswersAtItsRoot) {
  serve();
  EXPECT_EQ(ask("GET", "/").body, json::object{});
  EXPECT_EQ(ask("GET", "/busy").body, false);
}

TEST_F(CoordinatorTest, AnOperationLocksEveryNodeAndHasUnlockedThemWhenItIsOver) {
  serve();
  script_.backup = [&](Backup&) { EXPECT_EQ(nodes_.count("POST /node/lock"), 3); };
  const Answer started = ask("POST", "/backup", {}, {{"Host", "me.example:99"}});
  EXPECT_EQ(started.status, 200);
  EXPECT_EQ(started.body, parse(R"({"op_id":1,"status_url":"http://me.example:99/backup/1"})"));
  const auto status = wait_until_over({200, json::object{{"status_url", url("/backup/1")}}});
  EXPECT_EQ(nodes_.count("POST /node/unlock"), 3);
  EXPECT_EQ(status.at("state"), "done");
  EXPECT_EQ(status.at("progress"), parse(R"({"handled":0,"failed":0,"total":0,"final":true})"));
  EXPECT_FALSE(status_of(directory_.path() / "coordinator.lock"));
}

TEST_F(CoordinatorTest, ABackupIgnoresItsBody) {
  serve();
  EXPECT_EQ(wait_until_over(ask("POST", "/backup", "garbage", {{"Content-Type", "text/plain"}})).at("state"), "done");
}

TEST_F(CoordinatorTest, WithoutAllLocksNothingBeginsAndTheHoldersAreTold) {
  serve();
  refuse_locks();
  script_.backup = [](Backup&) { ADD_FAILURE(); };
  const Answer refused = ask("POST", "/backup");
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.body.at("detail"), parse(R"({"code":"cluster_lock_unavailable",
                      "message":"Unable to acquire cluster lock to create operation"})"));
  const std::string node = nodes_.options.nodes[1].url;
  EXPECT_EQ(refused.body.at("holders"), parse(fmt::format(R"([{{"node":"{}","locker":"other","expires_in":12.5}}])",
                                                          node.substr(0, node.size() - 5))));
  EXPECT_EQ(nodes_.count("POST /node/unlock"), 3) << "what was locked is unlocked again";
  nodes_.on("POST /node/lock",
            [](std::size_t, const http::Request&) { return http::json_response(api::LockResult{true}); });
  EXPECT_EQ(ask("POST", "/cleanup").body.at("op_id"), 2) << "the refused one has used up an id, as in Astacus";
}

TEST_F(CoordinatorTest, KnowsOperationsByNameAndId) {
  serve();
  run("/backup");
  const auto unknown = [](int id) {
    return parse(
        fmt::format(R"({{"detail":{{"code":"operation_id_mismatch","op":{},"message":"Unknown operation id"}}}})", id));
  };
  for (const auto& [path, id] : {std::pair{"/backup/2", 2}, {"/restore/1", 1}, {"/backup/-1", -1}}) {
    const Answer answer = ask("GET", path);
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.body, unknown(id));
    const Answer result = ask("PUT", std::string{path} + "/sub-result", "{}");
    EXPECT_EQ(result.status, 404);
    EXPECT_EQ(result.body, unknown(id));
  }
  EXPECT_EQ(ask("GET", "/backup/01").status, 200);
  const Answer wrong_name = ask("GET", "/reload/1");
  EXPECT_EQ(wrong_name.status, 422);
  EXPECT_EQ(wrong_name.body, parse(R"({"detail":[{"loc":["path","op_name"],
      "msg":"value is not a valid enumeration member; permitted: 'backup', 'lock', 'restore', 'unlock', 'cleanup'",
      "type":"type_error.enum","ctx":{"enum_values":["backup","lock","restore","unlock","cleanup"]}}]})"));
  EXPECT_EQ(ask("GET", "/backup/x").body, parse(R"({"detail":[{"loc":["path","op_id"],
      "msg":"value is not a valid integer","type":"type_error.integer"}]})"));
}

TEST_F(CoordinatorTest, ANodesResultWakesTheOperationWhateverItSays) {
  serve();
  std::promise<std::set<std::size_t>> woken;
  script_.backup = [&](Backup& backup) { woken.set_value(backup.operation().wait(1h)); };
  const Answer started = ask("POST", "/backup");
  const Answer answer = ask("PUT", "/backup/1/sub-result?node=2", "garbage", {{"Content-Type", "text/plain"}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, nullptr);
  EXPECT_THAT(woken.get_future().get(), ElementsAre(2));
  wait_until_over(started);
}

TEST_F(CoordinatorTest, AFailedBackupIsTriedAgainUnderTheSameLocks) {
  serve();
  int attempts = 0;
  script_.backup = [&](Backup& backup) {
    backup.plan().step(kFirst, [&] {
      if (++attempts < 3) fail(ErrorKind::transient, "not yet");
    });
    backup.plan().step(kSecond, [] {});
  };
  const auto status = run("/backup");
  EXPECT_EQ(status.at("state"), "done");
  EXPECT_EQ(status.at("attempt"), 3);
  EXPECT_EQ(attempts, 3);
  EXPECT_EQ(nodes_.count("POST /node/lock"), 3);

  attempts = -10;
  const auto failed = run("/backup");
  EXPECT_EQ(failed.at("state"), "fail");
  EXPECT_EQ(failed.at("error"), "first things: not yet");
  EXPECT_EQ(attempts, -7) << "three attempts";
}

TEST_F(CoordinatorTest, ABackupShowsWhatTheNodesHaveHashedWhileTheyDo) {
  serve();
  for (const char* verb : {"snapshot", "release"}) {
    nodes_.on(fmt::format("POST /node/{}", verb), [verb](std::size_t, const http::Request& request) {
      return http::json_response(api::StartResult{7, request.url_of(fmt::format("/node/{}/7", verb))});
    });
  }
  nodes_.on("GET /node/release/7",
            [](std::size_t, const http::Request&) { return http::Response::json(R"({"progress":{"final":true}})"); });
  std::array<std::atomic<int>, 3> polls{};
  std::promise<json::value> seen;
  nodes_.on("GET /node/snapshot/7", [&](std::size_t node, const http::Request&) {
    const bool final = ++polls.at(node) > 1;
    if (final && node == 0) seen.set_value(ask("GET", "/backup/1").body.at("progress"));
    return http::Response::json(
        fmt::format(R"({{"progress":{{"handled":{0},"total":5,"bytes":{0}0,"bytes_total":50,"final":{1}}}}})",
                    final ? 5 : 2, final));
  });
  script_.backup = [](Backup& backup) { backup.plan().step(kFirst, [&] { backup.snapshot({}); }); };
  const auto status = run("/backup");
  EXPECT_EQ(seen.get_future().get(),
            parse(R"({"handled":6,"failed":0,"total":15,"final":false,"bytes":60,"bytes_total":150})"));
  EXPECT_EQ(status.at("progress").at("handled"), 15) << status;
}

TEST_F(CoordinatorTest, ALostLockEndsABackupForGood) {
  options_.default_lock_ttl = 2ms;
  serve();
  nodes_.on("POST /node/relock", [](std::size_t node, const http::Request&) {
    if (node != 2) return http::json_response(api::LockResult{true});
    return http::Response::json(R"({"detail":"Locked by someone else"})", 403);
  });
  std::atomic<int> attempts{0};
  script_.backup = [&](Backup& backup) {
    ++attempts;
    backup.operation().wait(1h);
    backup.operation().throw_if_cancelled();
  };
  const auto status = run("/backup");
  EXPECT_EQ(status.at("state"), "fail");
  EXPECT_THAT(std::string{status.at("error").as_string()}, HasSubstr("the cluster lock is lost"));
  EXPECT_THAT(std::string{status.at("error").as_string()}, HasSubstr("Locked by someone else"));
  EXPECT_EQ(attempts, 1);
  EXPECT_EQ(nodes_.count("POST /node/unlock"), 3);
}

TEST_F(CoordinatorTest, ARestoreGetsItsRequestAndEndsAfterTheStepThatWasNamed) {
  serve();
  std::promise<api::RestoreRequest> seen;
  bool second = false;
  script_.restore = [&](Restore& restore) {
    restore.plan().step(kFirst, [&] { seen.set_value(restore.request()); });
    restore.plan().step(kSecond, [&] { second = true; });
  };
  const auto status = run("/restore", R"({"storage":"y","name":"b","stop_after_step":"FirstStep","overwrite":true,
      "partial_restore_nodes":[{"backup_index":1,"node_url":"u"}]})");
  EXPECT_EQ(status.at("state"), "done");
  EXPECT_FALSE(second);
  const auto request = seen.get_future().get();
  EXPECT_EQ(request.storage, "y");
  EXPECT_EQ(request.name, "b");
  EXPECT_TRUE(request.overwrite);
  EXPECT_FALSE(request.discard_old);
  EXPECT_EQ(request.partial_restore_nodes->at(0).backup_index, 1);
  EXPECT_EQ(request.partial_restore_nodes->at(0).node_url, "u");
}

TEST_F(CoordinatorTest, ARestoreThatSucceedsAtItsSecondAttemptTellsItAndCountsItAlone) {
  options_.restore_attempts = 2;
  serve();
  int attempts = 0;
  script_.restore = [&](Restore& restore) {
    Plan& plan = restore.plan();
    plan.step(kFirst, [&] { plan.progress({.handled = 3, .total = 3}); });
    plan.attempts(restore.attempts(), kSecond, [&] {
      plan.step(kSecond, [&] {
        plan.progress({.handled = 4, .failed = 1, .total = 10});
        if (++attempts < 2) fail(ErrorKind::transient, "not yet");
        plan.progress({.handled = 10, .total = 10});
      });
    });
  };
  const auto status = run("/restore");
  EXPECT_EQ(status.at("state"), "done");
  EXPECT_EQ(status.at("attempt"), 2);
  EXPECT_EQ(status.at("progress"), parse(R"({"handled":13,"failed":0,"total":13,"final":true})"));
}

TEST_F(CoordinatorTest, RefusesAWrongRestoreBeforeAnythingIsLocked) {
  serve();
  for (const char* body : {R"({"stop_after_step":"NoSuchStep"})", R"({"storage":"z"})", R"({"name":["x"]})",
                           R"({"name":"x")", R"({"partial_restore_nodes":{}})", R"({"partial_restore_nodes":[5]})"}) {
    EXPECT_EQ(ask("POST", "/restore", body).status, 422) << body;
  }
  EXPECT_EQ(ask("POST", "/cleanup", R"({"storage":"z"})").status, 422);
  EXPECT_EQ(nodes_.count("POST /node/lock"), 0);
}

// What curl -d sends: it must not be passed over, or a restore of one backup becomes a restore of the latest.
TEST_F(CoordinatorTest, RefusesABodyThatIsNotSaidToBeJson) {
  serve();
  for (const char* path : {"/restore", "/cleanup"}) {
    EXPECT_EQ(ask("POST", path, R"({"name":"x"})", {{"Content-Type", "application/x-www-form-urlencoded"}}).status, 422)
        << path;
    EXPECT_EQ(ask("POST", path, R"("x")").status, 422) << path;
  }
  EXPECT_EQ(nodes_.count("POST /node/lock"), 0);
}

TEST_F(CoordinatorTest, UsersMayLockByHand) {
  serve();
  std::mutex mutex;
  std::string target;
  nodes_.on("POST /node/lock", [&](std::size_t, const http::Request& request) {
    std::scoped_lock lock{mutex};
    target = request.target;
    return http::json_response(api::LockResult{true});
  });
  const Answer started = ask("POST", "/lock?locker=a%20b");
  EXPECT_EQ(started.body.at("unlock_url"), json::to_value(url("/unlock?locker=a%20b")));
  EXPECT_EQ(wait_until_over(started), parse(R"({"state":"done"})"));
  EXPECT_EQ(target, "/node/lock?locker=a%20b&ttl=60");
  EXPECT_EQ(nodes_.count("POST /node/unlock"), 0) << "it stays";
  EXPECT_EQ(run("/unlock?locker=a%20b"), parse(R"({"state":"done"})"));
  EXPECT_EQ(nodes_.count("POST /node/unlock"), 3);
  refuse_locks();
  EXPECT_EQ(run("/lock?locker=c&ttl=5").at("state"), "fail");
  EXPECT_EQ(nodes_.count("POST /node/unlock"), 6);
  EXPECT_EQ(ask("POST", "/lock").status, 422);
}

TEST_F(CoordinatorTest, ALockMayBeMeantForEver) {
  serve();
  EXPECT_EQ(run("/lock?locker=a&ttl=9223372036854775807").at("state"), "done");
}

TEST_F(CoordinatorTest, ListsStoragesAndBackupsByName) {
  serve();
  const Timestamp start{1'700'000'000s};
  put_backup("y", start);
  put_backup("x", start + 2s);
  put_backup("x", start);
  const auto names = [&](const std::string& path, const std::string& body = {}) {
    std::string text;
    const auto list = ask("GET", path, body).body;
    for (const auto& storage : list.at("storages").as_array()) {
      text += fmt::format("{}: ", std::string_view{storage.at("storage_name").as_string()});
      for (const auto& backup : storage.at("backups").as_array())
        text += fmt::format("{} ", std::string_view{backup.at("name").as_string()});
    }
    return text;
  };
  EXPECT_EQ(names("/list"), "x: 2023-11-14T22:13:20+00:00 2023-11-14T22:13:22+00:00 y: 2023-11-14T22:13:20+00:00 ");
  EXPECT_EQ(names("/list?storage=y"), "y: 2023-11-14T22:13:20+00:00 ");
  EXPECT_EQ(names("/list", R"("y")"), "y: 2023-11-14T22:13:20+00:00 ");
  EXPECT_EQ(ask("GET", "/list?storage=z").status, 422);
  const auto name = put_backup("y", start + 1s);
  EXPECT_EQ(names("/list?storage=y"), "y: 2023-11-14T22:13:20+00:00 2023-11-14T22:13:21+00:00 ");
  storages_->find("y").manifests().remove(std::vector{repository::BackupName::parse(name).value()});
  EXPECT_EQ(names("/list?storage=y"), "y: 2023-11-14T22:13:20+00:00 ") << "a list is always what there is";
}

TEST_F(CoordinatorTest, ComputesOneListAtATime) {
  serve();
  std::promise<void> begun, open;
  auto opened = open.get_future().share();
  std::once_flag once;
  on_list_ = [&] {
    std::call_once(once, [&] {
      begun.set_value();
      opened.wait();
    });
  };
  auto first = std::async(std::launch::async, [&] { return ask("GET", "/list"); });
  begun.get_future().wait();
  const Answer second = ask("GET", "/list");
  EXPECT_EQ(second.status, 429);
  EXPECT_EQ(second.body, parse(R"({"detail":"Already caching list result"})"));
  open.set_value();
  EXPECT_EQ(first.get().status, 200);
  EXPECT_EQ(ask("GET", "/list").status, 200);
}

TEST_F(CoordinatorTest, CleansUpByTheRequestsRulesInPlaceOfTheConfiguredOnes) {
  options_.gc_grace = 0s;
  options_.retention = {.minimum_backups = 2, .maximum_backups = {}, .keep_days = 100'000};
  serve();
  std::vector<std::string> names;
  for (int i = 0; i < 5; ++i) names.push_back(put_backup("x", Timestamp{1'700'000'000s + i * 1s}));
  const auto left = [&] { return storages_->find("x").manifests().list().size(); };
  EXPECT_EQ(run("/cleanup").at("state"), "done");
  EXPECT_EQ(left(), 5U);
  run("/cleanup", R"({"retention":{"maximum_backups":4}})");
  EXPECT_EQ(left(), 4U);
  run("/cleanup", fmt::format(R"({{"explicit_delete":["{}"]}})", names[4]));
  EXPECT_EQ(left(), 3U);
  run("/cleanup", R"({"retention":{"keep_days":1},"explicit_delete":null})");
  EXPECT_EQ(left(), 2U) << "minimum_backups is still the configured one";
  const auto failed = run("/cleanup", R"({"explicit_delete":["backup-no-such"]})");
  EXPECT_EQ(failed.at("state"), "fail");
  EXPECT_THAT(std::string{failed.at("error").as_string()}, HasSubstr("there is no backup \"backup-no-such\""));
  EXPECT_FALSE(failed.as_object().contains("progress"));
}

TEST_F(CoordinatorTest, WhatAKilledOneHeldIsUnlockedBeforeItLocks) {
  serve();
  write_durably(directory_.path() / "coordinator.lock", "dead-1\n");
  std::mutex mutex;
  std::vector<std::string> calls;
  for (const char* verb : {"lock", "unlock"}) {
    nodes_.on(fmt::format("POST /node/{}", verb), [&, verb](std::size_t node, const http::Request& request) {
      std::scoped_lock lock{mutex};
      const bool is_dead = *http::find(request.query, "locker") == "dead-1";
      if (node == 0) calls.push_back(fmt::format("{} {}", verb, is_dead ? "dead-1" : "own"));
      return http::json_response(api::LockResult{std::string_view{verb} == "lock"});
    });
  }
  run("/backup");
  EXPECT_THAT(calls, ElementsAre("unlock dead-1", "lock own", "unlock own"));
}

TEST_F(CoordinatorTest, LocksDoNotWaitBehindOtherRequests) {
  http::Client narrow{{.spool_directory = "/tmp", .maximum_transfers = 1}};
  client_ = &narrow;
  std::promise<void> begun, released;
  nodes_.on("GET /node/slow", [&](std::size_t, const http::Request&) {
    begun.set_value();
    released.get_future().wait();
    return http::Response::json("{}");
  });
  auto slow = narrow.send({.url = options_.nodes[0].url + "/slow"});
  begun.get_future().wait();
  serve();
  EXPECT_EQ(run("/backup").at("state"), "done");
  released.set_value();
  slow.wait();
}

TEST_F(CoordinatorTest, WhatCannotBeReadOfAnEarlierCoordinatorDoesNotEndThisOne) {
  std::filesystem::create_directory(directory_.path() / "coordinator.lock");
  serve();
  EXPECT_NO_THROW(coordinator_->keep_releasing_leftover_locks({}));
}

TEST_F(CoordinatorTest, StoppingEndsWhatRunsAndUnlocks) {
  serve();
  std::promise<void> begun;
  script_.backup = [&](Backup& backup) {
    begun.set_value();
    backup.operation().wait(1h);
    backup.operation().throw_if_cancelled();
  };
  ask("POST", "/backup");
  begun.get_future().wait();
  EXPECT_EQ(ask("GET", "/busy").body, true);
  coordinator_->stop();
  EXPECT_EQ(nodes_.count("POST /node/unlock"), 3);
  EXPECT_EQ(ask("GET", "/backup/1").body.at("error"), "the server is stopping");
  EXPECT_NE(ask("POST", "/backup").status, 200);
  EXPECT_EQ(nodes_.count("POST /node/unlock"), 6);
}

}  // namespace
}  // namespace cherax::coordinator
