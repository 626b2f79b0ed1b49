#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/describe/class.hpp>

#include "base/manual_clock.h"
#include "http/json_body.h"
#include "node/node_for_tests.h"
#include "storage/memory/memory_store.h"

namespace cherax::node {
namespace {

using namespace std::chrono_literals;
using test::Answer;
using test::wait_until;

json::value parse(const std::string& text) { return json::parse(text).value(); }

struct EchoRequest : api::NodeRequest {
  static constexpr std::array kRequired{"word"};
  std::string word;
};
BOOST_DESCRIBE_STRUCT(EchoRequest, (api::NodeRequest), (word))

struct EchoResult : api::NodeResult {
  std::string word;
};
BOOST_DESCRIBE_STRUCT(EchoResult, (api::NodeResult), (word))

/// What a plugin might add. `wait` ends when it is asked to stop.
class FakeExtension final : public Extension {
 public:
  std::string_view name() const override { return "fake"; }
  std::vector<Operation> operations() override {
    const Shape echo_shape = [](const api::NodeResult& result) {
      EchoResult echo;
      static_cast<api::NodeResult&>(echo) = result;
      return json::to_value(echo);
    };
    return {
        {"echo", echo_shape,
         [](Task& task, const json::value& request) {
           EchoResult result;
           static_cast<api::NodeResult&>(result) = task.final_result();
           result.word = http::read_request<EchoRequest>(request, "body").word;
           return http::Body{json::to_text(result)};
         },
         [](const json::value& request) { http::read_request<EchoRequest>(request, "body"); }},
        {"wait",
         plain_shape,
         [](Task& task, const json::value&) -> http::Body {
           std::mutex mutex;
           std::condition_variable_any changed;
           std::unique_lock lock{mutex};
           changed.wait(lock, task.stop(), [] { return false; });
           fail(ErrorKind::cancelled, "asked to stop");
         },
         {}},
        {"forbidden", plain_shape, [](Task&, const json::value&) { return http::Body{"{}"}; }, {}},
    };
  }
  void require_allowed(std::string_view operation) const override {
    if (operation == "forbidden") http::refuse(403, "not here");
  }
};

class NodeRoutesTest : public testing::Test {
 protected:
  NodeRoutesTest() {
    std::vector<std::unique_ptr<Extension>> extensions;
    extensions.push_back(std::make_unique<FakeExtension>());
    auto options = test::options_below(directory_.path());
    options.az = "az1";
    node_ = std::make_unique<test::ServedNode>(options, *storages_, client_, clock_, std::move(extensions));
  }

  Answer post(const std::string& path, const std::string& body = {}) { return node_->ask("POST", path, body); }
  Answer get(const std::string& path) { return node_->ask("GET", path); }
  void lock() { ASSERT_EQ(post("/node/lock?locker=me&ttl=3600").status, 200); }

  ManualClock clock_;
  storage::TemporaryDirectory directory_;
  http::Client client_{{.spool_directory = "/tmp"}};
  std::unique_ptr<repository::Storages> storages_ =
      test::storages_on(std::make_unique<storage::MemoryStore>(clock_), directory_.path() / "tmp");
  std::unique_ptr<test::ServedNode> node_;
};

void expect_answer(const Answer& answer, int status, const std::string& body) {
  EXPECT_EQ(answer.status, status);
  EXPECT_EQ(answer.body, parse(body));
}

TEST_F(NodeRoutesTest, LocksForOneAndSaysWhoHoldsIt) {
  expect_answer(post("/node/lock?locker=a%20b&ttl=60"), 200, R"({"locked":true})");
  clock_.advance(12300ms);
  const auto held = R"("holder":{"locker":"a b","expires_in":47.7})";
  expect_answer(post("/node/lock?locker=other&ttl=60"), 409, fmt::format(R"({{"detail":"Already locked",{}}})", held));
  expect_answer(post("/node/lock?locker=a%20b&ttl=60"), 409, fmt::format(R"({{"detail":"Already locked",{}}})", held));
  expect_answer(post("/node/relock?locker=other&ttl=60"), 403,
                fmt::format(R"({{"detail":"Locked by someone else",{}}})", held));
  expect_answer(post("/node/unlock?locker=other"), 403,
                fmt::format(R"({{"detail":"Locked by someone else",{}}})", held));
  expect_answer(post("/node/unlock?locker=a%20b&ttl=0"), 200, R"({"locked":false})");
  expect_answer(post("/node/unlock?locker=a%20b"), 409, R"({"detail":"Already unlocked"})");
  expect_answer(post("/node/relock?locker=a%20b&ttl=60"), 409, R"({"detail":"Not locked"})");
}

TEST_F(NodeRoutesTest, ALockEndsUnlessItIsExtended) {
  post("/node/lock?locker=a&ttl=60");
  clock_.advance(59s);
  expect_answer(post("/node/relock?locker=a&ttl=60"), 200, R"({"locked":true})");
  clock_.advance(59s);
  EXPECT_EQ(post("/node/lock?locker=b&ttl=60").status, 409);
  clock_.advance(1s);
  expect_answer(post("/node/relock?locker=a&ttl=60"), 409, R"({"detail":"Not locked"})");
  expect_answer(post("/node/lock?locker=b&ttl=60"), 200, R"({"locked":true})");
}

TEST_F(NodeRoutesTest, TakesAnyTimeToLive) {
  EXPECT_EQ(post("/node/lock?locker=a&ttl=9223372036854775807").status, 200);
  EXPECT_EQ(post("/node/lock?locker=b&ttl=1").status, 409) << "not wrapped around";
  EXPECT_EQ(post("/node/unlock?locker=a").status, 200);
  EXPECT_EQ(post("/node/lock?locker=a&ttl=-9223372036854775808").status, 200);
  EXPECT_EQ(post("/node/lock?locker=b&ttl=1").status, 200) << "expired at once";
}

TEST_F(NodeRoutesTest, LockingNeedsLockerAndTimeToLive) {
  expect_answer(post("/node/lock"), 422,
                R"({"detail":[{"loc":["query","locker"],"msg":"field required","type":"value_error.missing"},
                              {"loc":["query","ttl"],"msg":"field required","type":"value_error.missing"}]})");
  expect_answer(post("/node/relock?locker=a&ttl=soon"), 422,
                R"({"detail":[{"loc":["query","ttl"],"msg":"value is not a valid integer",
                               "type":"type_error.integer"}]})");
  EXPECT_EQ(post("/node/unlock").status, 422);
}

TEST_F(NodeRoutesTest, LockingIgnoresABody) {
  expect_answer(post("/node/lock?locker=a&ttl=9", "garbage"), 200, R"({"locked":true})");
}

TEST_F(NodeRoutesTest, SaysWhatItCanDo) {
  expect_answer(node_->ask("GET", "/node/metadata", R"({"result_url":"http://x"})"), 200,
                R"({"version":"0.8.13","features":["validate_file_hashes","snapshot_groups",
                    "release_snapshot_files","check_only"]})");
}

/// Each operation with a body that is right.
const std::vector<std::pair<std::string, std::string>> kOperations{
    {"/node/snapshot", R"({"groups":[{"root_glob":"**"}]})"},
    {"/node/upload", R"({"storage":"x","hashes":[]})"},
    {"/node/release", R"({"hexdigests":[]})"},
    {"/node/download", R"({"storage":"x","backup_name":"backup-1","snapshot_index":0,"root_globs":["**"]})"},
    {"/node/clear", R"({"root_globs":["**"]})"},
    {"/node/fake/echo", R"({"word":"hello"})"},
};

TEST_F(NodeRoutesTest, EveryOperationNeedsTheLockAndLooksAtTheBodyFirst) {
  for (const auto& [path, body] : kOperations) {
    EXPECT_EQ(post(path, "{}").status, 422) << path;
    const Answer refused = post(path, body);
    EXPECT_EQ(refused.status, 409) << path;
    EXPECT_EQ(refused.body, parse(R"({"detail":"Not locked"})")) << path;
  }
}

/// The type of a 422's first entry.
std::string first_type(const Answer& answer) {
  const auto* entries = answer.body.at("detail").if_array();
  return entries && !entries->empty() ? std::string{entries->front().at("type").as_string()} : "none";
}

TEST_F(NodeRoutesTest, EveryOperationRefusesABodyThatIsBrokenOrNoJson) {
  for (const auto& [path, body] : kOperations) {
    const Answer broken = post(path, body + "}");
    EXPECT_EQ(broken.status, 422) << path;
    EXPECT_EQ(first_type(broken), "json_invalid") << path << broken.body;
    const Answer text = node_->ask("POST", path, body, {{"Content-Type", "text/plain"}});
    EXPECT_EQ(text.status, 422) << path;
    EXPECT_EQ(first_type(text), "value_error.missing") << path << text.body;
  }
}

TEST_F(NodeRoutesTest, NamesTheMembersThatAreMissing) {
  const auto missing = [&](const std::string& path) {
    std::string names;
    const Answer answer = post(path, "{}");
    for (const auto& entry : answer.body.at("detail").as_array()) {
      EXPECT_EQ(entry.at("type"), "value_error.missing");
      names += fmt::format("{} ", std::string_view{entry.at("loc").at(1).as_string()});
    }
    return names;
  };
  EXPECT_EQ(missing("/node/snapshot"), "groups ") << "also of Astacus' first protocol, with root_globs";
  EXPECT_EQ(missing("/node/upload"), "hashes storage ");
  EXPECT_EQ(missing("/node/release"), "hexdigests ");
  EXPECT_EQ(missing("/node/download"), "storage backup_name snapshot_index root_globs ");
  EXPECT_EQ(missing("/node/clear"), "root_globs ");
}

TEST_F(NodeRoutesTest, StartsUnderTheNameThatTheClientUses) {
  lock();
  const auto answer = node_->ask("POST", "/node/clear?x=1", R"({"root_globs":[]})", {{"Host", "node1.example:5515"}});
  expect_answer(answer, 200, R"({"op_id":1,"status_url":"http://node1.example:5515/node/clear/1"})");
  expect_answer(post("/node/release", R"({"hexdigests":[]})"), 200,
                fmt::format(R"({{"op_id":2,"status_url":"{}"}})", node_->url("/node/release/2")));
}

TEST_F(NodeRoutesTest, KnowsTheLatestOperationOfEachName) {
  lock();
  node_->run("/node/clear", R"({"root_globs":[]})");
  node_->run("/node/clear", R"({"root_globs":[]})");
  node_->run("/node/release", R"({"hexdigests":[]})");
  EXPECT_EQ(get("/node/clear/2").status, 200);
  EXPECT_EQ(get("/node/clear/02").status, 200);
  for (const auto& [path, id] : {std::pair{"/node/clear/1", 1},
                                 {"/node/clear/3", 3},
                                 {"/node/clear/-1", -1},
                                 {"/node/snapshot/2", 2},
                                 {"/node/fake/echo/3", 3}}) {
    expect_answer(
        get(path), 404,
        fmt::format(R"({{"detail":{{"code":"operation_id_mismatch","op":{},"message":"Unknown operation id"}}}})", id));
  }
  expect_answer(get("/node/clear/x"), 422,
                R"({"detail":[{"loc":["path","op_id"],"msg":"value is not a valid integer",
                               "type":"type_error.integer"}]})");
  post("/node/unlock?locker=me");
  EXPECT_EQ(get("/node/clear/2").status, 200) << "a result outlives the lock";
}

TEST_F(NodeRoutesTest, AnExtensionsOperationsAreLikeItsOwn) {
  lock();
  const auto result = node_->run("/node/fake/echo", R"({"word":"hello"})");
  EXPECT_EQ(result.at("word"), "hello");
  EXPECT_EQ(result.at("az"), "az1");
  expect_answer(post("/node/fake/echo", "{}"), 422,
                R"({"detail":[{"loc":["body","word"],"msg":"field required","type":"value_error.missing"}]})");
  EXPECT_EQ(post("/node/fake/nothing", "{}").status, 404);
  expect_answer(post("/node/fake/forbidden"), 403, R"({"detail":"not here"})");
  EXPECT_EQ(get("/node/fake/wait/1").status, 200) << "they share their results, as in Astacus";
}

TEST_F(NodeRoutesTest, AnExtensionIsAskedBeforeTheLock) { EXPECT_EQ(post("/node/fake/forbidden").status, 403); }

TEST_F(NodeRoutesTest, AResultHasItsShapeBeforeItIsThere) {
  lock();
  ASSERT_EQ(post("/node/fake/wait").status, 200);
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  expect_answer(get("/node/fake/wait/1"), 200,
                fmt::format(R"({{"hostname":"{}","az":"az1",
                    "progress":{{"handled":0,"failed":0,"total":0,"final":false}}}})",
                            host.data()));
}

TEST_F(NodeRoutesTest, UnlockingEndsWhatRuns) {
  lock();
  const Answer started = post("/node/fake/wait");
  post("/node/unlock?locker=me");
  EXPECT_EQ(node_->result_of(started).at("error"), "asked to stop");
}

TEST_F(NodeRoutesTest, AnotherOnesUnlockEndsNothing) {
  lock();
  post("/node/fake/wait");
  EXPECT_EQ(post("/node/unlock?locker=other").status, 403);
  EXPECT_EQ(get("/node/fake/wait/1").body.at("progress").at("final"), false);
}

TEST_F(NodeRoutesTest, ASecondStartReplacesTheFirst) {
  lock();
  post("/node/fake/wait");
  EXPECT_EQ(node_->run("/node/fake/echo", R"({"word":"second"})").at("word"), "second");
  EXPECT_EQ(get("/node/fake/wait/1").status, 404);
}

}  // namespace
}  // namespace cherax::node
