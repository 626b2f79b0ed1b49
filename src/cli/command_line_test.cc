#include "cli/command_line.h"

#include <gmock/gmock.h>

#include "cli/fixture_for_tests.h"

namespace cherax::cli {
namespace {

using ::testing::HasSubstr;

class CommandLineTest : public CommandTest {
 protected:
  void expect_usage_error(const std::vector<std::string>& arguments, const std::string& message) {
    const auto ended = run(arguments);
    EXPECT_EQ(ended.code, ExitCode::usage);
    EXPECT_EQ(ended.out, "");
    EXPECT_THAT(ended.err, HasSubstr(message));
  }
};

TEST_F(CommandLineTest, ExitCodesAreThoseThatScriptsTrust) {
  EXPECT_EQ(static_cast<int>(ExitCode::success), 0);
  EXPECT_EQ(static_cast<int>(ExitCode::failure), 1);
  EXPECT_EQ(static_cast<int>(ExitCode::usage), 2);
}

TEST_F(CommandLineTest, NoCommandPrintsHelpToStandardError) {
  expect_usage_error({}, "Usage: cherax");
  expect_usage_error({}, "restore");
}

TEST_F(CommandLineTest, UsageErrorsSayWhatIsWrong) {
  expect_usage_error({"explode"}, "explode");
  expect_usage_error({"--json"}, "subcommand");
  expect_usage_error({"backup", "--explode"}, "--explode");
  expect_usage_error({"backup", "extra"}, "extra");
  expect_usage_error({"backup", "list"}, "list");
  expect_usage_error({"-w", "soon", "backup"}, "--wait-completion");
  expect_usage_error({"-w", "-1", "backup"}, "--wait-completion");
  expect_usage_error({"-u", "localhost:5515", "backup"}, "\"localhost:5515\" is no URL like http://localhost:5515");
  expect_usage_error({"cleanup", "--keep-days", "-1"}, "--keep-days");
  expect_usage_error({"delete", "--backups"}, "--backups");
}

TEST_F(CommandLineTest, HelpIsNoError) {
  const auto ended = run({"--help"});
  EXPECT_EQ(ended.code, ExitCode::success);
  EXPECT_THAT(ended.out, HasSubstr("--wait-completion"));
  EXPECT_EQ(ended.err, "");
  EXPECT_THAT(run({"restore", "--help"}).out, HasSubstr("--stop-after-step"));
}

TEST_F(CommandLineTest, GlobalOptionsMayFollowTheCommandAndTheLastOneCounts) {
  ScriptedServer server;
  server.on("POST /backup", R"({"op_id":1,"status_url":""})");
  server.on("GET /backup/1", R"({"state":"done"})");
  const auto ended = run({"-u", "http://127.0.0.1:1", "backup", "--url", server.url(), "-w", "0", "-w5", "--json"});
  EXPECT_EQ(ended.code, ExitCode::success);
  EXPECT_EQ(ended.out, "{\"operation\":\"backup\",\"state\":\"done\",\"op_id\":1,\"seconds\":0E0,\"holders\":[]}\n");
}

TEST_F(CommandLineTest, OutputThatCannotBeWrittenIsAFailure) {
  std::ostream full{nullptr};
  std::ostringstream err;
  CommandLine line{"a test", Console{full, err, clock_}};
  line.add_command("greet", "", [&] {
    line.console().out << "hello\n";
    return ExitCode::success;
  });
  const std::array arguments{"cherax", "greet"};
  EXPECT_EQ(line.run(2, arguments.data()), ExitCode::failure);
  EXPECT_EQ(err.str(), "cherax: writing to standard output failed\n");
}

}  // namespace
}  // namespace cherax::cli
