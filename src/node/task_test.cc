#include "node/task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "base/manual_clock.h"
#include "http/server.h"
#include "node/extension.h"
#include "node/node_for_tests.h"

namespace cherax::node {
namespace {

using namespace std::chrono_literals;
using test::wait_until;
using testing::ElementsAre;

/// Takes the callbacks of operations, as a coordinator does.
class Callbacks {
 public:
  Callbacks() {
    http::Router router;
    router.add({"PUT", "/{which}", http::Lane::coordinator, [this](const http::Request& request) {
                  std::scoped_lock lock{mutex_};
                  seen_[request.path.substr(1)].push_back(request);
                  return http::Response::json("null");
                }});
    server_ =
        std::make_unique<http::Server>(http::ServerOptions{.port = 0, .spool_directory = "/tmp"}, std::move(router));
  }

  std::string url(std::string_view which) const {
    return fmt::format("http://127.0.0.1:{}/{}", server_->port(), which);
  }
  std::vector<http::Request> of(const std::string& which) {
    std::scoped_lock lock{mutex_};
    return seen_[which];
  }
  void wait_for(const std::string& which) {
    wait_until([&] { return !of(which).empty(); });
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<http::Request>> seen_;
  std::unique_ptr<http::Server> server_;
};

/// Work that says that it has begun, and ends when it is told to.
class Gate {
 public:
  Work work(std::string result = "{}") {
    return [this, result](Task&) {
      begun_.set_value();
      opened_.wait();
      return http::Body{result};
    };
  }
  void wait_until_begun() { begun_.get_future().wait(); }
  void open() { open_.set_value(); }

 private:
  std::promise<void> begun_, open_;
  std::shared_future<void> opened_ = open_.get_future().share();
};

http::Body done(Task& task) { return http::Body{json::to_text(task.final_result())}; }

/// Ends only when it is asked to.
http::Body until_stopped(Task& task) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock{mutex};
  changed.wait(lock, task.stop(), [] { return false; });
  fail(ErrorKind::cancelled, "cancelled");
}

class TasksTest : public testing::Test {
 protected:
  json::value result(const std::string& name, std::int64_t id) {
    const auto body = tasks_->find(name, id);
    return body ? json::parse(body->text(http::kBodyInMemory)).value() : json::value("unknown");
  }
  json::value final_result(const std::string& name, std::int64_t id) {
    wait_until([&] { return result(name, id).at("progress").at("final").as_bool(); });
    return result(name, id);
  }
  std::int64_t start(const std::string& name, Work work, const std::string& result_url = {}) {
    return tasks_->start(name, result_url, plain_shape, std::move(work));
  }

  ManualClock clock_;
  Lock lock_{clock_};
  Callbacks callbacks_;
  http::Client client_{{.spool_directory = "/tmp"}};
  std::unique_ptr<Tasks> tasks_ = std::make_unique<Tasks>(Tasks::Identity{"host", "az1"}, client_, lock_);
};

TEST_F(TasksTest, RunsOneAfterTheOtherInTheOrderOfTheirStarts) {
  Gate gate;
  std::mutex mutex;
  std::vector<int> order;
  const auto note = [&](int number) {
    return [&, number](Task& task) {
      std::scoped_lock lock{mutex};
      order.push_back(number);
      return done(task);
    };
  };
  const auto first = start("snapshot", gate.work());
  gate.wait_until_begun();
  start("upload", note(1));
  start("clear", note(2));
  const auto last = start("upload", note(3));
  EXPECT_EQ(last, first + 3);
  EXPECT_TRUE(order.empty()) << "the first one is still under way";
  gate.open();
  final_result("upload", last);
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
}

TEST_F(TasksTest, AStartAsksTheOneUnderWayToStop) {
  start("snapshot", until_stopped);
  const auto id = start("snapshot", done);
  EXPECT_EQ(final_result("snapshot", id).at("progress").at("failed"), 0);
}

TEST_F(TasksTest, ShowsTheProgressWhileItRuns) {
  std::atomic<int> handled{0};
  Gate gate;
  const auto id = start("upload", [&](Task& task) {
    {
      const Task::Watch watch{task, [&] { return api::Progress{.handled = handled, .total = 9}; }};
      gate.work()(task);
    }
    return done(task);
  });
  gate.wait_until_begun();
  for (const int now : {3, 9}) {
    handled = now;
    EXPECT_EQ(result("upload", id), json::parse(fmt::format(R"({{"hostname":"host","az":"az1",
                  "progress":{{"handled":{},"failed":0,"total":9,"final":false}}}})",
                                                            now))
                                        .value());
  }
  gate.open();
  EXPECT_EQ(final_result("upload", id).at("progress"),
            json::parse(R"({"handled":9,"failed":0,"total":9,"final":true})").value())
      << "the watch is over, what it said last stays";
}

TEST_F(TasksTest, AFailureKeepsTheProgressAndSaysWhy) {
  const auto id = start("upload", [](Task& task) -> http::Body {
    const Task::Watch watch{task, [] { return api::Progress{.handled = 2, .total = 5}; }};
    fail(ErrorKind::denied, "no permission");
  });
  EXPECT_EQ(final_result("upload", id), json::parse(R"({"hostname":"host","az":"az1","error":"no permission",
                "progress":{"handled":2,"failed":1,"total":5,"final":true}})")
                                            .value());
}

TEST_F(TasksTest, AnyExceptionIsAFailure) {
  const auto id = start("clear", [](Task&) -> http::Body { throw std::runtime_error{"surprise"}; });
  EXPECT_EQ(final_result("clear", id).at("error"), "surprise");
}

TEST_F(TasksTest, HandsOutTheResultOfTheWorkAsItIs) {
  const auto id = start("snapshot", [](Task&) { return http::Body{R"({"progress":{"final":true},"files":7})"}; });
  EXPECT_EQ(final_result("snapshot", id).at("files"), 7);
}

TEST_F(TasksTest, KnowsTheLatestOfEachNameByItsId) {
  const auto snapshot = start("snapshot", done);
  const auto old_upload = start("upload", done);
  const auto upload = start("upload", done);
  final_result("upload", upload);
  EXPECT_TRUE(tasks_->find("snapshot", snapshot)) << "also when another operation was started since";
  EXPECT_FALSE(tasks_->find("upload", old_upload));
  EXPECT_FALSE(tasks_->find("snapshot", upload));
  EXPECT_FALSE(tasks_->find("upload", upload + 1));
  EXPECT_FALSE(tasks_->find("clear", upload));
}

TEST_F(TasksTest, SendsItsNodeResultWhenItHasEnded) {
  lock_.acquire("me", 1h);
  start(
      "snapshot", [](Task& task) { return http::Body{json::to_text(task.final_result())}; }, callbacks_.url("done"));
  callbacks_.wait_for("done");
  const auto request = callbacks_.of("done").at(0);
  EXPECT_EQ(*request.headers.find("connection"), "close");
  EXPECT_EQ(json::parse(request.body.text(1000)).value(),
            json::parse(R"({"hostname":"host","az":"az1","progress":{"handled":0,"failed":0,"total":0,"final":true}})")
                .value());

  start(
      "snapshot", [](Task&) -> http::Body { fail(ErrorKind::denied, "no"); }, callbacks_.url("failed"));
  callbacks_.wait_for("failed");
  EXPECT_EQ(json::parse(callbacks_.of("failed").at(0).body.text(1000)).value().at("progress").at("failed"), 1);
}

TEST_F(TasksTest, SendsNothingWithoutTheLockOrWhenANewerOneWasStarted) {
  const auto unlocked = start("upload", done, callbacks_.url("unlocked"));
  final_result("upload", unlocked);
  lock_.acquire("me", 1h);
  Gate gate;
  start("snapshot", gate.work(), callbacks_.url("replaced"));
  gate.wait_until_begun();
  start("upload", done, callbacks_.url("last"));
  gate.open();
  callbacks_.wait_for("last");
  clock_.advance(2h);
  const auto expired = start("upload", done, callbacks_.url("expired"));
  final_result("upload", expired);
  lock_.acquire("me", 1h);
  start("upload", done, callbacks_.url("again"));
  callbacks_.wait_for("again");
  EXPECT_TRUE(callbacks_.of("unlocked").empty());
  EXPECT_TRUE(callbacks_.of("replaced").empty());
  EXPECT_TRUE(callbacks_.of("expired").empty());
  EXPECT_EQ(callbacks_.of("last").size(), 1U);
}

TEST_F(TasksTest, ACallbackThatCannotBeDeliveredDoesNoHarm) {
  lock_.acquire("me", 1h);
  for (const char* url : {"http://127.0.0.1:1/x", "no url at all", "ftp://x/y"}) {
    const auto id = start("upload", done, url);
    EXPECT_EQ(final_result("upload", id).at("progress").at("failed"), 0) << url;
  }
}

TEST_F(TasksTest, CancelAsksTheOneUnderWayToStop) {
  const auto id = start("snapshot", until_stopped);
  tasks_->cancel();
  EXPECT_EQ(final_result("snapshot", id).at("error"), "cancelled");
}

TEST_F(TasksTest, EndsWhatRunsWhenItIsDestroyed) {
  start("snapshot", until_stopped);
  tasks_.reset();
}

TEST_F(TasksTest, GivesBackWhatAnEndedOperationHeld) {
  auto held = std::make_shared<int>(1);
  const auto id = start("upload", [held](Task& task) { return done(task); });
  final_result("upload", id);
  wait_until([&] { return held.use_count() == 1; });
}

TEST_F(TasksTest, AStartThatIsRefusedChangesNothing) {
  Gate gate;
  auto last = start("upload", gate.work());
  gate.wait_until_begun();
  std::optional<Error> refusal;
  for (int i = 0; i < 1000 && !refusal; ++i) {
    try {
      last = start("upload", done);
    } catch (const Error& error) {
      refusal = error;
    }
  }
  ASSERT_TRUE(refusal) << "what waits for an operation that does not stop must have a bound";
  EXPECT_EQ(refusal->kind(), ErrorKind::transient);
  EXPECT_TRUE(tasks_->find("upload", last));
  gate.open();
  EXPECT_EQ(final_result("upload", last).at("progress").at("failed"), 0);
}

}  // namespace
}  // namespace cherax::node
