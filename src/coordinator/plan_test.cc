#include "coordinator/plan.h"

#include <gtest/gtest.h>

namespace cherax::coordinator {
namespace {

constexpr StepName kFirst{"first things", "FirstStep"};
constexpr StepName kSecond{"then", "SubOpStep"};
constexpr StepName kThird{"at last", "SubOpStep"};
constexpr std::array kSteps{&kFirst, &kSecond, &kThird};

class Recorder final : public PlanObserver {
 public:
  void step_begins(const api::StepStatus& step) override {
    seen += fmt::format("{}/{} {}; ", step.number, step.count, step.name);
  }
  void step_progresses(const api::Progress&) override {}
  void goes_back(std::int64_t attempt, const api::StepStatus& step) override {
    seen += fmt::format("attempt {} from {}/{} {}; ", attempt, step.number, step.count, step.name);
  }
  std::string seen;
};

class PlanTest : public testing::Test {
 protected:
  Plan plan(std::optional<std::string> stop_after = {}) { return {kSteps, stop_after, recorder_, stop_.get_token()}; }
  Recorder recorder_;
  std::stop_source stop_;
};

ErrorKind kind_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorKind::internal;
}

TEST_F(PlanTest, RunsTheStepsInOrderAndPassesTheirValues) {
  Plan plan = this->plan();
  EXPECT_EQ(plan.step(kFirst, [] { return 7; }), 7);
  plan.step(kSecond, [] {});
  plan.step(kThird, [] {});
  EXPECT_EQ(recorder_.seen, "1/3 first things; 2/3 then; 3/3 at last; ");
}

TEST_F(PlanTest, InsistsOnTheDocumentedOrder) {
  Plan plan = this->plan();
  EXPECT_EQ(kind_of([&] { plan.step(kSecond, [] {}); }), ErrorKind::internal);
}

TEST_F(PlanTest, StopsAfterTheFirstStepOfTheNameThatTheUserGave) {
  for (std::string name : {"SubOpStep", "then"}) {
    Plan plan = this->plan(name);
    plan.step(kFirst, [] {});
    bool ran = false;
    EXPECT_THROW(plan.step(kSecond, [&] { ran = true; }), PlanStopped);
    EXPECT_TRUE(ran);
  }
}

TEST_F(PlanTest, RefusesAnUnknownStepBeforeAnythingRuns) {
  EXPECT_EQ(kind_of([&] { plan("NoSuchStep"); }), ErrorKind::invalid);
}

TEST_F(PlanTest, AFailureNamesItsStep) {
  Plan plan = this->plan();
  try {
    plan.step(kFirst, [] { fail(ErrorKind::denied, "no"); });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "first things: no");
  }
}

TEST_F(PlanTest, EndsBetweenStepsWhenCancelled) {
  Plan plan = this->plan();
  plan.step(kFirst, [&] { stop_.request_stop(); });
  EXPECT_EQ(kind_of([&] { plan.step(kSecond, [] {}); }), ErrorKind::cancelled);
}

TEST_F(PlanTest, RepeatsOnlyFromTheGivenStep) {
  Plan plan = this->plan();
  int first = 0, second = 0;
  plan.step(kFirst, [&] { ++first; });
  plan.attempts(3, kSecond, [&] {
    plan.step(kSecond, [&] {
      if (++second < 3) fail(ErrorKind::transient, "again");
    });
    plan.step(kThird, [] {});
  });
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 3);
  EXPECT_EQ(recorder_.seen,
            "1/3 first things; 2/3 then; attempt 2 from 2/3 then; 2/3 then; attempt 3 from 2/3 then; 2/3 then; "
            "3/3 at last; ");
}

TEST_F(PlanTest, GivesUpAfterTheLastAttemptAndAtOnceWhenCancelled) {
  int tries = 0;
  Plan plan = this->plan();
  plan.step(kFirst, [] {});
  EXPECT_EQ(kind_of([&] {
              plan.attempts(2, kSecond, [&] {
                ++tries;
                fail(ErrorKind::corrupt, "bad");
              });
            }),
            ErrorKind::corrupt);
  EXPECT_EQ(tries, 2);
  EXPECT_EQ(recorder_.seen, "1/3 first things; attempt 2 from 2/3 then; ");
  EXPECT_EQ(kind_of([&] {
              plan.attempts(5, kSecond, [&] {
                ++tries;
                fail(ErrorKind::cancelled, "stop");
              });
            }),
            ErrorKind::cancelled);
  EXPECT_EQ(tries, 3);
}

}  // namespace
}  // namespace cherax::coordinator
