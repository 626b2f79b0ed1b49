#include "cli/command_line.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/json/object.hpp>

#include "base/json.h"

namespace cherax::cli {

namespace {

std::string check_url(const std::string& url) {
  if (url.starts_with("http://") || url.starts_with("https://")) return "";
  return "\"" + url + "\" is no URL like http://localhost:5515";
}

}  // namespace

CommandLine::CommandLine(const std::string& description, Console console)
    : console_(std::move(console)), app_(std::make_unique<CLI::App>(description, "cherax")) {
  app_->fallthrough();
  app_->require_subcommand(1);
  app_->option_defaults()->take_last();
  app_->add_option("-u,--url", options_.url, "The server to ask; any one of the cluster")
      ->check(check_url)
      ->capture_default_str();
  app_->add_option_function<std::uint32_t>(
          "-w,--wait-completion", [this](const std::uint32_t& wait) { options_.wait = std::chrono::seconds{wait}; },
          "Wait at most that long for the operation to end, and show its progress; without it, or with 0, success "
          "means "
          "that it was started")
      ->option_text("SECONDS");
  app_->add_flag("--json", options_.json, "Print one JSON document and nothing else to standard output");
}

CommandLine::~CommandLine() = default;

CLI::App& CommandLine::add_command(const std::string& name, const std::string& description, Command command) {
  return add_command(*app_, name, description, std::move(command));
}

CLI::App& CommandLine::add_command(CLI::App& group, const std::string& name, const std::string& description,
                                   Command command) {
  auto& added = *group.add_subcommand(name, description);
  added.callback([this, command = std::move(command)] { chosen_ = command; });
  return added;
}

CLI::App& CommandLine::add_group(const std::string& name, const std::string& description) {
  return *app_->add_subcommand(name, description)->require_subcommand(1);
}

ExitCode CommandLine::run(int argument_count, const char* const* arguments) {
  try {
    app_->parse(argument_count, arguments);
  } catch (const CLI::Success& asked) {  // --help
    app_->exit(asked, console_.out, console_.err);
    return ExitCode::success;
  } catch (const CLI::ParseError& error) {
    print_usage_error(error, argument_count < 2);
    return ExitCode::usage;
  }
  return run_chosen();
}

void CommandLine::print_usage_error(const CLI::ParseError& error, bool without_arguments) {
  if (without_arguments) {
    console_.err << app_->help() << std::flush;
    return;
  }
  const auto unread = app_->remaining(true);
  if (dynamic_cast<const CLI::RequiredError*>(&error) && !unread.empty()) {
    console_.err << "Not known: " << unread.front() << '\n';
  }
  app_->exit(error, console_.out, console_.err);
}

ExitCode CommandLine::run_chosen() {
  auto code = ExitCode::failure;
  try {
    code = chosen_();
  } catch (...) {
    const Error error = error_from(std::current_exception());
    if (options_.json) {
      console_.out << json::to_text(json::object{{"state", "fail"}, {"error", error.message()}}) << '\n';
    }
    print_error(console_, error.message());
  }
  if (console_.out.flush()) return code;
  print_error(console_, "writing to standard output failed");
  return ExitCode::failure;
}

}  // namespace cherax::cli
