#include "coordinator/operation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

namespace cherax::coordinator {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

json::value shown(const Operation& operation) { return json::to_value(operation.status()); }
json::value parse(const std::string& text) { return json::parse(text).value(); }

TEST(Operation, ShowsAProgressOnlyWhereAstacusDoes) {
  for (const char* name : {"backup", "restore"}) {
    EXPECT_EQ(shown({1, name, "http://h"}),
              parse(R"({"state":"starting","progress":{"handled":0,"failed":0,"total":0,"final":true}})"))
        << name << ": final is true before any step has reported";
  }
  for (const char* name : {"cleanup", "lock", "unlock"}) {
    Operation operation{1, name, "http://h"};
    operation.step_begins({"x", 1, 1});
    operation.step_progresses({.handled = 1});
    EXPECT_FALSE(shown(operation).as_object().contains("progress")) << name;
  }
}

TEST(Operation, ItsProgressIsTheSumOfAllStepsAndEachStepsIsItsOwn) {
  Operation operation{1, "backup", "http://h"};
  const auto seen = [&] {
    const auto progress = operation.status().progress.value();
    return std::array{progress.handled, progress.failed, progress.total, progress.bytes, progress.bytes_total};
  };
  operation.step_begins({"first", 1, 3});
  operation.step_progresses({.handled = 1, .total = 5, .bytes = 10, .bytes_total = 50});
  operation.step_progresses({.handled = 5, .failed = 1, .total = 5, .bytes = 50, .bytes_total = 50});
  EXPECT_THAT(seen(), ElementsAre(5, 1, 5, 50, 50)) << "what a step says replaces what it said before";
  EXPECT_FALSE(operation.status().progress->final_);
  operation.step_begins({"second", 2, 3});
  EXPECT_THAT(seen(), ElementsAre(5, 1, 5, 50, 50));
  operation.step_begins({"third", 3, 3});
  EXPECT_FALSE(operation.status().step->progress);
  operation.step_progresses({.handled = 2, .total = 4, .bytes = 1, .bytes_total = 2});
  EXPECT_EQ(operation.status().step->progress, (api::Progress{.handled = 2, .total = 4, .bytes = 1, .bytes_total = 2}))
      << "the step has its own";
  EXPECT_THAT(seen(), ElementsAre(7, 1, 9, 51, 52));
  operation.set_state(api::OperationState::done);
  EXPECT_THAT(seen(), ElementsAre(7, 1, 9, 51, 52)) << "it stays after the end";
  EXPECT_TRUE(operation.status().progress->final_);
}

TEST(Operation, AnotherAttemptBeginsItsSumAnew) {
  Operation operation{1, "backup", "http://h"};
  operation.set_attempt(1);
  EXPECT_TRUE(operation.status().progress->final_);
  operation.step_begins({"first", 1, 1});
  operation.step_progresses({.handled = 3, .failed = 1, .total = 5});
  operation.set_attempt(2);
  EXPECT_EQ(operation.status().progress, api::Progress{}) << "and shows nothing of the one before";
  EXPECT_FALSE(operation.status().step);
  operation.step_begins({"first", 1, 1});
  operation.step_progresses({.handled = 1, .total = 5});
  EXPECT_EQ(operation.status().progress, (api::Progress{.handled = 1, .total = 5}));
}

TEST(Operation, GoingBackToAStepForgetsWhatWasDoneFromItOn) {
  Operation operation{1, "restore", "http://h"};
  operation.set_attempt(1);
  operation.step_begins({"roles", 1, 4});
  operation.step_progresses({.handled = 2, .total = 2, .bytes = 20, .bytes_total = 20});
  operation.step_begins({"download", 2, 4});
  operation.step_progresses({.handled = 10, .total = 10, .bytes = 100, .bytes_total = 100});
  operation.step_begins({"start", 3, 4});
  operation.step_progresses({.handled = 1, .total = 3});
  operation.goes_back(2, {"download", 2, 4});
  const auto back = operation.status();
  EXPECT_EQ(back.attempt, 2);
  EXPECT_EQ(back.step, (api::StepStatus{"download", 2, 4})) << "what makes ready for it belongs to it";
  EXPECT_EQ(back.progress, (api::Progress{.handled = 2, .total = 2, .bytes = 20, .bytes_total = 20}));
  operation.step_begins({"download", 2, 4});
  operation.step_progresses({.handled = 10, .total = 10, .bytes = 100, .bytes_total = 100});
  operation.step_begins({"start", 3, 4});
  operation.step_progresses({.handled = 3, .total = 3});
  EXPECT_EQ(operation.status().progress, (api::Progress{.handled = 15, .total = 15, .bytes = 120, .bytes_total = 120}));
}

TEST(Operation, ShowsWhatWeAddOnlyWhenThereIsSomething) {
  Operation operation{1, "cleanup", "http://h"};
  EXPECT_EQ(shown(operation), parse(R"({"state":"starting"})"));
  operation.set_attempt(2);
  operation.step_begins({"list the backups", 1, 3});
  operation.set_backup("backup-x");
  operation.fail("no");
  operation.set_state(api::OperationState::fail);
  EXPECT_EQ(shown(operation), parse(R"({"state":"fail","step":{"name":"list the backups","number":1,"count":3},
      "attempt":2,"error":"no","backup":"backup-x"})"));
}

TEST(Operation, ItsUrlsNameTheCoordinatorAsTheUserDid) {
  const Operation operation{12, "restore", "http://me:5515"};
  EXPECT_EQ(operation.status_url(), "http://me:5515/restore/12");
  EXPECT_EQ(operation.result_url(3), "http://me:5515/restore/12/sub-result?node=3");
}

TEST(Operation, WaitsUntilANodeWakesIt) {
  Operation operation{1, "backup", "http://h"};
  EXPECT_THAT(operation.wait(0s), IsEmpty());
  operation.wake(2);
  operation.wake(0);
  operation.wake(2);
  EXPECT_THAT(operation.wait(1h), ElementsAre(0, 2)) << "what woke it before it waited is not lost";
  EXPECT_THAT(operation.wait(0s), IsEmpty()) << "and tells once";

  auto waiting = std::async(std::launch::async, [&] { return operation.wait(1h); });
  operation.wake(1);
  EXPECT_THAT(waiting.get(), ElementsAre(1));
}

TEST(Operation, ACancelEndsTheWaitAndSaysWhy) {
  Operation operation{1, "backup", "http://h"};
  EXPECT_NO_THROW(operation.throw_if_cancelled());
  auto waiting = std::async(std::launch::async, [&] { return operation.wait(1h); });
  operation.cancel("the lock is lost");
  operation.cancel("the server is stopping");
  EXPECT_THAT(waiting.get(), IsEmpty());
  EXPECT_THAT(operation.wait(1h), IsEmpty()) << "nor does it wait again";
  EXPECT_TRUE(operation.stop().stop_requested());
  try {
    operation.throw_if_cancelled();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::cancelled);
    EXPECT_EQ(error.message(), "the lock is lost") << "the first reason is the cause";
  }
}

class OperationsTest : public testing::Test {
 protected:
  std::shared_ptr<Operation> launch(const std::string& name, std::function<void(Operation&)> work) {
    auto operation = operations_.create(name, "http://h");
    operations_.launch(operation, std::move(work));
    return operation;
  }
  static api::OperationState wait_until_over(const Operation& operation) {
    for (;;) {
      const auto state = operation.status().state;
      if (state == api::OperationState::done || state == api::OperationState::fail) return state;
      std::this_thread::yield();
    }
  }

  std::promise<void> open_;
  std::shared_future<void> opened_ = open_.get_future().share();
  Operations operations_;
};

TEST_F(OperationsTest, AreNumberedFromOneWhateverTheirName) {
  EXPECT_EQ(operations_.create("backup", "http://h")->id(), 1);
  EXPECT_EQ(operations_.create("lock", "http://h")->id(), 2);
  EXPECT_EQ(operations_.find("backup", 1)->id(), 1);
  EXPECT_EQ(operations_.find("lock", 2)->id(), 2);
  EXPECT_FALSE(operations_.find("lock", 1)) << "the id of another name";
  EXPECT_FALSE(operations_.find("backup", 3));
  EXPECT_FALSE(operations_.find("backup", -1));
}

TEST_F(OperationsTest, AreDoneWhenTheirWorkReturnsAndFailedWhenItThrows) {
  EXPECT_EQ(wait_until_over(*launch("backup", [](Operation&) {})), api::OperationState::done);
  const auto failed = launch("backup", [](Operation&) { fail(ErrorKind::denied, "no permission"); });
  EXPECT_EQ(wait_until_over(*failed), api::OperationState::fail);
  EXPECT_EQ(failed->status().error, "no permission");
  const auto surprised = launch("backup", [](Operation&) { throw std::runtime_error{"surprise"}; });
  EXPECT_EQ(wait_until_over(*surprised), api::OperationState::fail);
  EXPECT_EQ(surprised->status().error, "surprise");
}

TEST_F(OperationsTest, AreBusyWhileOneRuns) {
  EXPECT_FALSE(operations_.busy());
  const auto running = launch("backup", [this](Operation&) { opened_.wait(); });
  EXPECT_EQ(running->status().state, api::OperationState::running);
  EXPECT_TRUE(operations_.busy());
  open_.set_value();
  wait_until_over(*running);
  EXPECT_FALSE(operations_.busy());
}

TEST_F(OperationsTest, SomeAreRememberedAndOneThatRunsIsNeverForgotten) {
  const auto running = launch("backup", [this](Operation&) { opened_.wait(); });
  for (int i = 0; i < 100; ++i) wait_until_over(*launch("lock", [](Operation&) {}));
  EXPECT_TRUE(operations_.find("backup", running->id()));
  EXPECT_TRUE(operations_.find("lock", 101)) << "nor is the latest";
  EXPECT_TRUE(operations_.find("lock", 95));
  EXPECT_FALSE(operations_.find("lock", 2)) << "memory has a bound";
  open_.set_value();
}

TEST_F(OperationsTest, StoppingCancelsWhatRunsAndWaitsForItsEnd) {
  const auto running = launch("backup", [](Operation& operation) {
    operation.wait(1h);
    operation.throw_if_cancelled();
  });
  operations_.stop();
  EXPECT_EQ(running->status().state, api::OperationState::fail);
  EXPECT_EQ(running->status().error, "the server is stopping");
  EXPECT_THROW(launch("backup", [](Operation&) {}), Error);
}

TEST_F(OperationsTest, ACancelledOneTellsTheReasonWhereverItWasNoticed) {
  const auto running = launch("backup", [](Operation& operation) {
    operation.wait(1h);
    cherax::fail(ErrorKind::cancelled, "cancelled before \"upload\"");
  });
  running->cancel("the lock is lost");
  operations_.stop();
  EXPECT_EQ(running->status().error, "the lock is lost: cancelled before \"upload\"");
}

}  // namespace
}  // namespace cherax::coordinator
