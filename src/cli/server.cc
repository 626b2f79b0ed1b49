#include "cli/server.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "base/json.h"
#include "http/url.h"

namespace cherax::cli {

namespace {

using std::chrono::seconds;

// The coordinator asks every node for its lock before it answers, and waits 10 s for one that does not; then it
// unlocks.
constexpr seconds kStartTimeout{60};
// A list may need every manifest of a slow store.
constexpr seconds kListTimeout{300};
constexpr std::size_t kAnswerLimit = std::size_t{256} * 1024 * 1024;
constexpr std::size_t kShownOfAnswer = 500;

http::ClientOptions client_options() {
  std::error_code error;
  auto directory = std::filesystem::temp_directory_path(error);
  return {.spool_directory = error ? std::filesystem::path{"/tmp"} : std::move(directory)};
}

json::value body_of(const http::Response& response) { return json::parse(response.body.text(kAnswerLimit)).value(); }

/// One entry of a 422's `detail`: "body.storage: field required".
std::string describe_problem(const json::value& problem) {
  const auto* object = problem.if_object();
  if (!object) return json::to_text(problem);
  std::string where;
  if (const auto* location = object->if_contains("loc"); location && location->is_array()) {
    for (const auto& step : location->get_array()) {
      where += where.empty() ? "" : ".";
      where += step.is_string() ? std::string{step.get_string()} : json::to_text(step);
    }
  }
  const auto* message = object->if_contains("msg");
  if (!message || !message->is_string()) return json::to_text(problem);
  return where.empty() ? std::string{message->get_string()}
                       : fmt::format("{}: {}", where, message->get_string().c_str());
}

/// What the server says of a bad answer, in `detail` or as text.
std::string reason_in(const http::Response& response) {
  const auto text = response.body.text(kAnswerLimit);
  const auto parsed = json::parse(text);
  const auto* object = parsed ? parsed->if_object() : nullptr;
  const auto* detail = object ? object->if_contains("detail") : nullptr;
  if (!detail) return text.substr(0, kShownOfAnswer);
  if (detail->is_string()) return std::string{detail->get_string()};
  if (const auto* details = detail->if_object()) {
    const auto* message = details->if_contains("message");
    if (message && message->is_string()) return std::string{message->get_string()};
  }
  if (!detail->is_array()) return json::to_text(*detail);
  std::string reasons;
  for (const auto& problem : detail->get_array()) reasons += (reasons.empty() ? "" : "; ") + describe_problem(problem);
  return reasons;
}

ErrorKind kind_of(int status) {
  if (status == 429) return ErrorKind::throttled;
  if (status >= 500) return ErrorKind::transient;
  if (status == 404) return ErrorKind::not_found;
  if (status == 403) return ErrorKind::denied;
  return ErrorKind::invalid;
}

[[noreturn]] void fail_with(const http::Response& response, std::string_view what) {
  const auto reason = reason_in(response);
  fail(kind_of(response.status), "{}: the server answered with status {}{}{}", what, response.status,
       reason.empty() ? "" : ": ", reason);
}

Server::Locked read_locked(const http::Response& response) {
  Server::Locked locked{.message = reason_in(response)};
  const auto parsed = json::parse(response.body.text(kAnswerLimit));
  const auto* object = parsed ? parsed->if_object() : nullptr;
  if (!object) return locked;
  if (const auto* reason = object->if_contains("reason"); reason && reason->is_string()) {
    locked.reason = reason->get_string();
  }
  if (const auto* holders = object->if_contains("holders")) {
    if (auto read = json::read<std::vector<api::LockHolder>>(*holders)) locked.holders = *std::move(read);
  }
  return locked;
}

template <class T>
T read_answer(const http::Response& response, std::string_view what) {
  return in_context(fmt::format("{}: not the answer of a Cherax server", what),
                    [&] { return json::read<T>(body_of(response)).value(); });
}

}  // namespace

Server::Server(std::string url) : url_(std::move(url)), client_(client_options()) {}

http::Response Server::ask(const std::string& method, const std::string& path, const std::string& body,
                           std::chrono::milliseconds timeout) {
  http::ClientRequest request{.method = method, .url = http::join(url_, path)};
  if (!body.empty()) request.headers = {{"Content-Type", "application/json"}};
  request.body = http::Body{body};
  request.deadline = Deadline::in(timeout);
  try {
    return client_.perform(std::move(request));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::transient) throw;
    fail(error.kind(),
         "{}. Is the server running there (cherax server -c FILE)? Its port is uvicorn.port of its configuration, 5515 "
         "if not given; name another address with --url",
         error.message());
  }
}

std::variant<api::StartResult, Server::Locked> Server::start(const std::string& operation, const std::string& body) {
  const auto response = ask("POST", operation, body, kStartTimeout);
  const auto what = fmt::format("POST {}", http::without_secrets(http::join(url_, operation)));
  if (response.status == 200) return read_answer<api::StartResult>(response, what);
  if (response.status != 409) fail_with(response, what);
  return read_locked(response);
}

api::OperationStatus Server::status(const std::string& operation, std::int64_t id, std::chrono::milliseconds timeout) {
  // Not the answer's status_url: it is made by the server, which may not know how it is reached through a proxy.
  const auto path = fmt::format("{}/{}", operation, id);
  const auto response = ask("GET", path, "", timeout);
  const auto what = fmt::format("GET {}", http::without_secrets(http::join(url_, path)));
  if (response.status != 200) fail_with(response, what);
  return read_answer<api::OperationStatus>(response, what);
}

api::ListResponse Server::list(const std::string& storage) {
  const auto path = storage.empty() ? "list" : "list?" + http::to_query({{"storage", storage}});
  const auto response = ask("GET", path, "", kListTimeout);
  const auto what = fmt::format("GET {}", http::without_secrets(http::join(url_, "list")));
  if (response.status != 200) fail_with(response, what);
  return read_answer<api::ListResponse>(response, what);
}

}  // namespace cherax::cli
