#include "cli/operation.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <variant>

#include "cli/progress_display.h"
#include "cli/server.h"

namespace cherax::cli {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr Duration kFirstDelay = milliseconds{100};
constexpr Duration kLongestDelay = seconds{1};
constexpr milliseconds kShortestPoll = seconds{1};
constexpr milliseconds kLongestPoll = seconds{10};

enum class Outcome {
  started,    ///< and not followed
  done,       ///< succeeded
  fail,       ///< failed
  timed_out,  ///< still under way when the waiting time was over
  refused,    ///< not started: somebody else holds the cluster's lock
  unknown,    ///< the server could not be asked any more how it goes
};
BOOST_DESCRIBE_ENUM(Outcome, started, done, fail, timed_out, refused, unknown)

/// What --json prints.
struct Report {
  static constexpr std::array kOmittedWhenDefault{"op_id", "backup", "attempt", "step", "progress", "error"};
  std::string operation;
  Outcome state = Outcome::started;
  std::optional<std::int64_t> op_id;
  double seconds = 0;
  std::string backup;
  std::int64_t attempt = 0;
  std::optional<api::StepStatus> step;
  std::optional<api::Progress> progress;
  std::string error;
  std::vector<api::LockHolder> holders;
};
BOOST_DESCRIBE_STRUCT(Report, (), (operation, state, op_id, seconds, backup, attempt, step, progress, error))

std::string to_json(const Report& report) {
  auto document = json::to_value(report);
  document.as_object()["holders"] = json::to_value(report.holders);
  return json::to_text(document);
}

void take_status(Report& report, const api::OperationStatus& status) {
  report.backup = status.backup;
  report.attempt = status.attempt;
  report.step = status.step;
  report.progress = status.progress;
  report.error = status.error;
}

/// Polls until the operation has ended or the waiting time is over.
void follow(const Console& console, Server& server, seconds wait, Report& report) {
  ProgressDisplay display{console, report.operation};
  const auto end = console.clock.steady() + wait;
  std::string unreachable;
  for (auto delay = kFirstDelay;; delay = std::min(2 * delay, kLongestDelay)) {
    auto left = end - console.clock.steady();
    try {
      const auto timeout = std::clamp(std::chrono::ceil<milliseconds>(left), kShortestPoll, kLongestPoll);
      const auto status = server.status(report.operation, *report.op_id, timeout);
      unreachable.clear();
      take_status(report, status);
      display.show(status);
      if (status.state == api::OperationState::done) report.state = Outcome::done;
      if (status.state == api::OperationState::fail) report.state = Outcome::fail;
      if (report.state != Outcome::started) return;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::transient && error.kind() != ErrorKind::throttled) throw;
      unreachable = error.message();
      display.show_unreachable(error);
    }
    left = end - console.clock.steady();
    if (left <= Duration::zero()) break;
    console.clock.sleep_for(std::min(delay, left), {});
  }
  report.state = unreachable.empty() ? Outcome::timed_out : Outcome::unknown;
  if (!unreachable.empty()) report.error = unreachable;
}

/// What a lost track means for the user, who cannot know whether the operation goes on.
std::string lost_track(const Report& report, const Error& error) {
  if (error.kind() != ErrorKind::not_found) return error.message();
  return fmt::format(
      "{}. The server was restarted since {} {} was started, and does not know how that ended; its log does, and "
      "cherax list shows the backups",
      error.message(), report.operation, *report.op_id);
}

Report run(const Console& console, const GlobalOptions& options, const std::string& operation,
           const std::string& body) {
  Report report{.operation = operation};
  Server server{options.url};
  const auto start = console.clock.steady();
  auto started = server.start(operation, body);
  if (auto* locked = std::get_if<Server::Locked>(&started)) {
    report.state = Outcome::refused;
    report.error = std::move(locked->message);
    if (!locked->reason.empty()) report.error += ": " + locked->reason;
    report.holders = std::move(locked->holders);
    return report;
  }
  report.op_id = std::get<api::StartResult>(started).op_id;
  try {
    if (options.wait > seconds::zero()) follow(console, server, options.wait, report);
  } catch (const Error& error) {
    report.state = Outcome::unknown;
    report.error = lost_track(report, error);
  }
  report.seconds = std::chrono::duration<double>(console.clock.steady() - start).count();
  return report;
}

bool succeeded(const Report& report) { return report.state == Outcome::started || report.state == Outcome::done; }

/// What Astacus prints.
void print_outcome(std::ostream& out, const Report& report) {
  switch (report.state) {
    case Outcome::started:
    case Outcome::done:
      out << fmt::format(".. which took {:.3f} seconds\n", report.seconds);
      break;
    case Outcome::fail:
      out << ".. which eventually failed\n";
      break;
    case Outcome::timed_out:
      out << ".. which timed out\n";
      break;
    case Outcome::refused:
    case Outcome::unknown:
      break;
  }
}

void print_holders(const Console& console, const Report& report) {
  if (report.holders.empty()) return;
  for (const auto& holder : report.holders) {
    console.err << printable_lines(fmt::format("  {} is locked by {}, which expires in {:.1f} s", holder.node,
                                               holder.locker, holder.expires_in))
                << '\n';
  }
  console.err << "Another operation is under way, or one was killed: then its locks end by themselves." << std::endl;
}

void explain_failure(const Console& console, const GlobalOptions& options, const Report& report) {
  const auto& name = report.operation;
  switch (report.state) {
    case Outcome::started:
    case Outcome::done:
      break;
    case Outcome::fail:
      print_error(console,
                  fmt::format("{} failed: {}", name,
                              report.error.empty() ? "the server does not say why, see its log" : report.error));
      break;
    case Outcome::timed_out:
      print_error(console, fmt::format("{} is still under way after {} s, and goes on without this command{}", name,
                                       options.wait.count(), report.step ? " (" + report.step->name + ")" : ""));
      break;
    case Outcome::refused:
      print_error(console, fmt::format("{} was not started: {}", name, report.error));
      print_holders(console, report);
      break;
    case Outcome::unknown:
      print_error(console, fmt::format("{} was started, but how it goes is not known: {}", name, report.error));
      break;
  }
}

}  // namespace

ExitCode run_operation(const Console& console, const GlobalOptions& options, const std::string& operation,
                       const std::string& body) {
  if (!options.json) console.out << "Starting " << operation << ".." << std::endl;
  const Report report = run(console, options, operation, body);
  if (options.json) {
    console.out << to_json(report) << std::endl;
  } else {
    print_outcome(console.out, report);
    console.out << std::flush;
  }
  if (report.state == Outcome::done && !report.backup.empty()) {
    console.err << printable_lines(fmt::format("{}: {}", operation, report.backup)) << std::endl;
  }
  explain_failure(console, options, report);
  return succeeded(report) ? ExitCode::success : ExitCode::failure;
}

}  // namespace cherax::cli
