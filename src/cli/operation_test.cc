#include <gmock/gmock.h>

#include "base/json.h"
#include "cli/fixture_for_tests.h"

namespace cherax::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kStarted = R"({"op_id":7,"status_url":"http://elsewhere/backup/7"})";

http::Response answer(std::string text, int status = 200) { return http::Response::json(std::move(text), status); }

/// In a step that has `handled` of 100 blocks of 1 KB; 0: in one that counts nothing.
http::Response running(std::int64_t step, std::string_view name, std::int64_t handled = 0) {
  std::optional<api::Progress> progress;
  if (handled != 0) progress = {.handled = handled, .total = 100, .bytes = handled * 1000, .bytes_total = 100'000};
  const api::OperationStatus status{.state = api::OperationState::running,
                                    .progress = api::Progress{},
                                    .step = api::StepStatus{std::string{name}, step, 10, progress},
                                    .attempt = 1};
  return answer(json::to_text(status));
}

const http::Response kDone = answer(R"({"state":"done","backup":"backup-2026-11-23T23:23:52+00:00","attempt":1,
                                      "progress":{"handled":100,"failed":0,"total":100,"final":true}})");

class OperationTest : public CommandTest {
 protected:
  OperationTest() { server_.on("POST /backup", std::string{kStarted}); }

  Ended run_waiting(std::vector<std::string> arguments, const std::string& wait = "60") {
    arguments.insert(arguments.begin(), {"-u", server_.url(), "-w", wait});
    return run(arguments);
  }

  ScriptedServer server_;
};

TEST_F(OperationTest, WithoutWaitingSucceedsWhenTheOperationWasStarted) {
  const auto ended = run({"-u", server_.url(), "backup"});
  EXPECT_EQ(ended.code, ExitCode::success);
  EXPECT_EQ(ended.out, "Starting backup..\n.. which took 0.000 seconds\n");
  EXPECT_EQ(ended.err, "");
  ASSERT_EQ(server_.received().size(), 1U);
  EXPECT_EQ(server_.received()[0].what, "POST /backup");
}

TEST_F(OperationTest, WaitingEndsWithTheOperation) {
  server_.on("GET /backup/7", {running(1, "validate"), running(9, "upload", 3), kDone});
  const auto ended = run_waiting({"backup"});
  EXPECT_EQ(ended.code, ExitCode::success);
  EXPECT_EQ(ended.out, "Starting backup..\n.. which took 0.300 seconds\n");
  EXPECT_EQ(ended.err,
            "step 1 of 10: validate\n"
            "step 9 of 10: upload (step 1 took 0.1 s)\n"
            "backup: backup-2026-11-23T23:23:52+00:00\n");
}

TEST_F(OperationTest, AStepThatIsBegunAgainHasALineAgain) {
  const auto in_attempt = [](std::int64_t attempt) {
    const api::OperationStatus status{.state = api::OperationState::running,
                                      .progress = api::Progress{},
                                      .step = api::StepStatus{"upload", 9, 10},
                                      .attempt = attempt};
    return answer(json::to_text(status));
  };
  server_.on("GET /backup/7", {in_attempt(1), in_attempt(1), in_attempt(2), in_attempt(2), kDone});
  EXPECT_EQ(run_waiting({"backup"}).err,
            "step 9 of 10: upload\n"
            "step 9 of 10: upload, attempt 2 (step 9 took 0.3 s)\n"
            "backup: backup-2026-11-23T23:23:52+00:00\n");
}

TEST_F(OperationTest, RedrawsOneLineOnATerminal) {
  live_ = true;
  server_.on("GET /backup/7",
             {running(1, "validate the configuration, and more that is too long"), running(9, "upload", 3), kDone});
  const auto ended = run_waiting({"backup"});
  EXPECT_EQ(ended.out, "Starting backup..\n.. which took 0.300 seconds\n");
  // What is left of a longer line is overwritten, and in the end the line is empty.
  EXPECT_EQ(ended.err,
            "\r[1/10] validate the configuration, and more that is too l.."
            "\r[9/10] upload, 3 of 100 files, 3.0 KB of 100.0 KB" +
                std::string(10, ' ') + "\r[9/10] upload, 3 of 100 files, 3.0 KB of 100.0 KB" + "\r" +
                std::string(49, ' ') + "\rbackup: backup-2026-11-23T23:23:52+00:00\n");
}

TEST_F(OperationTest, PollsAtOnceThenWithGrowingDelaysUpToOneSecondAndOnceMoreAtTheEnd) {
  server_.on("GET /backup/7", {running(9, "upload")});
  const auto ended = run_waiting({"backup"}, "4");
  EXPECT_THAT(clock_.sleeps, ElementsAre(100ms, 200ms, 400ms, 800ms, 1s, 1s, 500ms));
  EXPECT_EQ(server_.received().size(), 1U + clock_.sleeps.size() + 1);
  EXPECT_EQ(ended.code, ExitCode::failure);
  EXPECT_EQ(ended.out, "Starting backup..\n.. which timed out\n");
  EXPECT_THAT(ended.err,
              HasSubstr("cherax: backup is still under way after 4 s, and goes on without this command (upload)\n"));
}

TEST_F(OperationTest, AFailurePrintsTheServersReason) {
  server_.on("GET /backup/7",
             R"({"state":"fail","error":"upload: node http://n2:5515: no space left\nlast\u001b[0m line"})");
  const auto ended = run_waiting({"backup"});
  EXPECT_EQ(ended.code, ExitCode::failure);
  EXPECT_EQ(ended.out, "Starting backup..\n.. which eventually failed\n");
  EXPECT_EQ(ended.err, "cherax: backup failed: upload: node http://n2:5515: no space left\nlast\\x1b[0m line\n");
}

TEST_F(OperationTest, AFailureOfAnAstacusServerPointsToItsLog) {
  server_.on("GET /backup/7", R"({"state":"fail","progress":{"handled":0,"failed":1,"total":1,"final":true}})");
  EXPECT_THAT(run_waiting({"backup"}).err, HasSubstr("the server does not say why, see its log"));
}

TEST_F(OperationTest, ALockedClusterPrintsWhoHoldsIt) {
  server_.on(
      "POST /backup",
      R"({"detail":{"code":"cluster_lock_unavailable","message":"Unable to acquire cluster lock to create operation"},
                 "reason":"http://n2:5515: Already locked",
                 "holders":[{"node":"http://n2:5515","locker":"n1-42","expires_in":12.54}]})",
      409);
  const auto ended = run_waiting({"backup"});
  EXPECT_EQ(ended.code, ExitCode::failure);
  EXPECT_EQ(ended.out, "Starting backup..\n");
  EXPECT_EQ(ended.err,
            "cherax: backup was not started: Unable to acquire cluster lock to create operation: "
            "http://n2:5515: Already locked\n"
            "  http://n2:5515 is locked by n1-42, which expires in 12.5 s\n"
            "Another operation is under way, or one was killed: then its locks end by themselves.\n");
}

TEST_F(OperationTest, ALockedClusterOfAnAstacusServerHasNoHolders) {
  server_.on("POST /backup", R"({"detail":{"code":"cluster_lock_unavailable","message":"No lock"}})", 409);
  EXPECT_EQ(run_waiting({"backup"}).err, "cherax: backup was not started: No lock\n");
}

TEST_F(OperationTest, ANodeThatCannotBeLockedAtAllIsTheReason) {
  server_.on("POST /backup", R"({"detail":{"message":"No lock"},"holders":[],"reason":"http://n2:5515: refused"})",
             409);
  EXPECT_EQ(run_waiting({"backup"}).err, "cherax: backup was not started: No lock: http://n2:5515: refused\n");
}

TEST_F(OperationTest, ARefusedRequestPrintsEachProblem) {
  server_.on(
      "POST /restore",
      R"({"detail":[{"loc":["body","nodes",0],"msg":"field required","type":"value_error.missing"},{"msg":"odd"}]})",
      422);
  const auto ended = run_waiting({"restore"});
  EXPECT_EQ(ended.code, ExitCode::failure);
  EXPECT_EQ(ended.err, fmt::format("cherax: POST {}/restore: the server answered with status 422: "
                                   "body.nodes.0: field required; odd\n",
                                   server_.url()));
}

TEST_F(OperationTest, AServerThatIsAwayForAWhileIsAskedAgain) {
  server_.on("GET /backup/7", {running(1, "validate"), kDone});
  clock_.on_sleep = [&](std::size_t sleep) {
    if (sleep == 1) server_.stop();
    if (sleep == 4) server_.start_again();
  };
  const auto ended = run_waiting({"backup"});
  EXPECT_EQ(ended.code, ExitCode::success);
  EXPECT_THAT(ended.err,
              HasSubstr("step 1 of 10: validate\nthe server does not answer, trying again: GET http://127.0.0.1:"));
  EXPECT_THAT(ended.err, HasSubstr("\nthe server answers again\n"));
  EXPECT_EQ(clock_.sleeps.size(), 4U);
}

TEST_F(OperationTest, TheLiveLineSaysThatTheServerIsAway) {
  live_ = true;
  server_.on("GET /backup/7", {running(1, "validate"), kDone});
  clock_.on_sleep = [&](std::size_t sleep) {
    if (sleep == 1) server_.stop();
    if (sleep == 2) server_.start_again();
  };
  EXPECT_THAT(run_waiting({"backup"}).err,
              StartsWith("\r[1/10] validate\rthe server does not answer, trying again: GET http://127.0.\r"));
}

TEST_F(OperationTest, AServerThatStaysAwayIsAFailureOnceTheWaitIsOver) {
  server_.on("GET /backup/7", {running(1, "validate")});
  clock_.on_sleep = [&](std::size_t sleep) {
    if (sleep == 1) server_.stop();
  };
  const auto ended = run_waiting({"backup"}, "2");
  EXPECT_EQ(ended.code, ExitCode::failure);
  EXPECT_THAT(ended.err, HasSubstr("cherax: backup was started, but how it goes is not known: GET http://127.0.0.1:"));
  EXPECT_THAT(ended.err, HasSubstr("Is the server running there (cherax server -c FILE)?"));
}

TEST_F(OperationTest, ABusyServerIsAskedAgain) {
  server_.on("GET /backup/7", {answer(R"({"detail":"busy"})", 503), kDone});
  EXPECT_EQ(run_waiting({"backup"}).code, ExitCode::success);
}

TEST_F(OperationTest, AServerThatWasRestartedDoesNotKnowTheOperation) {
  server_.on("GET /backup/7", {running(1, "validate"), answer(R"({"detail":{"code":"operation_id_mismatch","op":7,
                                                                "message":"Unknown operation id"}})",
                                                              404)});
  const auto ended = run_waiting({"backup"});
  EXPECT_EQ(ended.code, ExitCode::failure);
  EXPECT_THAT(ended.err,
              HasSubstr("status 404: Unknown operation id. The server was restarted since backup 7 was started"));
  EXPECT_EQ(clock_.sleeps.size(), 1U);
}

TEST_F(OperationTest, AServerThatIsNotThereIsAFailureThatSaysWhatToDo) {
  server_.stop();
  const auto ended = run_waiting({"backup"});
  EXPECT_EQ(ended.code, ExitCode::failure);
  EXPECT_THAT(ended.err, AllOf(StartsWith("cherax: POST " + server_.url() + "/backup: "),
                               HasSubstr("Is the server running there (cherax server -c FILE)?"), HasSubstr("--url")));
}

TEST_F(OperationTest, AnAnswerOfSomethingElseIsAFailure) {
  server_.on("POST /backup", {http::Response::plain_text("<html>welcome</html>", 200)});
  const auto ended = run_waiting({"backup"});
  EXPECT_EQ(ended.code, ExitCode::failure);
  EXPECT_THAT(ended.err, HasSubstr("/backup: not the answer of a Cherax server: broken JSON"));
}

TEST_F(OperationTest, RestoreSendsWhatItIsAskedFor) {
  server_.on("POST /restore", std::string{kStarted});
  run_waiting({"restore", "--storage", "x", "--backup", "backup-1", "--stop-after-step", "BackupNameStep",
               "--overwrite", "--discard-old"});
  run_waiting({"restore"});
  const auto received = server_.received();
  EXPECT_EQ(
      received.at(0).body,
      R"({"storage":"x","name":"backup-1","stop_after_step":"BackupNameStep","overwrite":true,"discard_old":true})");
  const auto second =
      std::ranges::find(received.begin() + 1, received.end(), "POST /restore", &ScriptedServer::Received::what);
  ASSERT_NE(second, received.end());
  EXPECT_EQ(second->body, "{}");
}

TEST_F(OperationTest, CleanupSendsTheRetentionThatIsGiven) {
  server_.on("POST /cleanup", std::string{kStarted});
  const auto ended = run({"cleanup", "-u", server_.url(), "--minimum-backups", "2", "--keep-days", "30"});
  EXPECT_EQ(ended.out, "Starting cleanup..\n.. which took 0.000 seconds\n");
  run({"cleanup", "-u", server_.url(), "--maximum-backups", "0"});
  const auto received = server_.received();
  ASSERT_EQ(received.size(), 2U);
  EXPECT_EQ(
      received[0].body,
      R"({"storage":"","retention":{"minimum_backups":2,"maximum_backups":null,"keep_days":30},"explicit_delete":[]})");
  EXPECT_EQ(received[1].body, R"({"storage":"","retention":null,"explicit_delete":[]})");
}

TEST_F(OperationTest, DeleteSendsTheNames) {
  server_.on("POST /cleanup", std::string{kStarted});
  const auto ended = run({"delete", "--backups", "backup-1", "backup-2", "-u", server_.url()});
  EXPECT_EQ(ended.out, "Starting cleanup..\n.. which took 0.000 seconds\n");
  ASSERT_EQ(server_.received().size(), 1U);
  EXPECT_EQ(server_.received()[0].body, R"({"storage":"","retention":null,"explicit_delete":["backup-1","backup-2"]})");
}

/// The document on standard output, which must hold nothing else.
json::object document(const std::string& out) { return json::parse(out).value().as_object(); }

TEST_F(OperationTest, JsonTellsTheResult) {
  server_.on("GET /backup/7", {running(9, "upload", 3), kDone});
  const auto ended = run_waiting({"backup", "--json"});
  EXPECT_EQ(ended.code, ExitCode::success);
  EXPECT_EQ(document(ended.out), json::parse(R"({"operation":"backup","state":"done","op_id":7,"seconds":1E-1,
                            "backup":"backup-2026-11-23T23:23:52+00:00","attempt":1,
                            "progress":{"handled":100,"failed":0,"total":100,"final":true},"holders":[]})")
                                     .value());
  EXPECT_THAT(ended.err, StartsWith("step 9 of 10: upload\n"));
}

TEST_F(OperationTest, JsonTellsEveryOtherEnd) {
  const auto started = run({"--json", "-u", server_.url(), "backup"});
  EXPECT_EQ(document(started.out).at("state"), "started");

  server_.on("GET /backup/7", R"({"state":"fail","error":"no space"})");
  const auto failed = run_waiting({"--json", "backup"});
  EXPECT_EQ(failed.code, ExitCode::failure);
  EXPECT_EQ(document(failed.out).at("state"), "fail");
  EXPECT_EQ(document(failed.out).at("error"), "no space");

  server_.on("GET /backup/7", {running(9, "upload")});
  EXPECT_EQ(document(run_waiting({"--json", "backup"}, "1").out).at("state"), "timed_out");

  server_.on("GET /backup/7", R"({"detail":"gone"})", 404);
  EXPECT_EQ(document(run_waiting({"--json", "backup"}, "1").out).at("state"), "unknown");

  server_.on("POST /backup", R"({"detail":{"message":"No lock"},"holders":[{"node":"n","locker":"l","expires_in":3}]})",
             409);
  const auto refused = document(run_waiting({"--json", "backup"}).out);
  EXPECT_EQ(refused.at("state"), "refused");
  EXPECT_EQ(refused.at("holders").at(0).at("locker"), "l");

  server_.stop();
  const auto gone = document(run_waiting({"--json", "backup"}).out);
  EXPECT_EQ(gone.at("state"), "fail");
  EXPECT_THAT(std::string{gone.at("error").as_string()}, HasSubstr("Is the server running there"));
}

TEST_F(OperationTest, NothingOfTheServersUrlThatMayBeSecretIsPrinted) {
  server_.stop();
  const auto url = "http://user:secret@" + server_.url().substr(7);
  const auto ended = run({"-u", url, "backup"});
  EXPECT_EQ(ended.code, ExitCode::failure);
  EXPECT_THAT(ended.out + ended.err, Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace cherax::cli
