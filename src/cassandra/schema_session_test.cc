#include "cassandra/schema_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/manual_clock.h"
#include "cassandra/cql/fake_server_for_tests.h"

namespace cherax::cassandra {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const SystemKeyspace kRoles{"system_auth", {{"class", "SimpleStrategy"}, {"replication_factor", "1"}}};

class SchemaSessionTest : public testing::Test {
 protected:
  /// What the server answers to the change that each connection in turn asks for; the last one stays.
  void serve(std::vector<std::string> answers) {
    server_.emplace([this, answers](cql::Session& session) {
      session.receive();
      session.answer_ready();
      session.receive();
      const auto turn = std::min<std::size_t>(static_cast<std::size_t>(server_->accepted()), answers.size()) - 1;
      session.answer(answers[turn]);
      session.receive();
      session.answer("rows_local");
      session.receive();
      session.answer("rows_peers_v2");
      session.receive();
    });
  }
  Error error_within(Duration patience) {
    try {
      alter_within(patience);
    } catch (const Error& error) {
      return error;
    }
    return Error{ErrorKind::internal, "no error"};
  }
  void alter_within(Duration patience) {
    ClientOptions options;
    options.hostnames = {"127.0.0.1"};
    options.port = server_->port();
    SchemaSession{options, clock_, patience, stop_.get_token()}.alter_replication(kRoles);
  }

  ManualClock clock_;
  std::stop_source stop_;
  std::optional<cql::FakeServer> server_;
};

TEST_F(SchemaSessionTest, WhatPassesIsTriedAgainOnANewConnection) {
  serve({"error_unavailable", "error_unavailable", "result_schema_change"});
  alter_within(1min);
  EXPECT_EQ(server_->accepted(), 3);
}

TEST_F(SchemaSessionTest, ARefusalIsFinal) {
  serve({"error_unauthorized"});
  EXPECT_EQ(error_within(1min).kind(), ErrorKind::denied);
  EXPECT_EQ(server_->accepted(), 1);
}

TEST_F(SchemaSessionTest, PatienceEnds) {
  serve({"error_unavailable"});
  const Error error = error_within(900ms);  // too short for another try
  EXPECT_EQ(error.kind(), ErrorKind::transient);
  EXPECT_THAT(error.message(), HasSubstr("ALTER KEYSPACE"));
  EXPECT_EQ(server_->accepted(), 1);
}

TEST_F(SchemaSessionTest, ACancelledOperationDoesNotTryAgain) {
  serve({"error_unavailable"});
  stop_.request_stop();
  EXPECT_EQ(error_within(1min).kind(), ErrorKind::cancelled);
  EXPECT_EQ(server_->accepted(), 1);
}

}  // namespace
}  // namespace cherax::cassandra
