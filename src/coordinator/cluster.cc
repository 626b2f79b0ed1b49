#include "coordinator/cluster.h"

#include <algorithm>
#include <numeric>

#include "base/json_stream.h"

namespace cherax::coordinator {

Cluster::Cluster(const CoordinatorOptions& options, http::Client& client) : options_(options), client_(client) {}

std::string Cluster::name(std::size_t node) const {
  const std::string whole = http::without_secrets(options_.nodes.at(node).url);
  std::string_view url = whole;
  for (const std::string_view suffix : {"/", "/node"}) {
    if (url.ends_with(suffix)) url.remove_suffix(suffix.size());
  }
  return std::string{url};
}

std::vector<Result<http::Response>> Cluster::ask(std::vector<Call> calls, std::stop_token stop) const {
  std::vector<std::future<http::Response>> answers;
  for (Call& call : calls) {
    http::ClientRequest request;
    request.method = call.method;
    request.url = call.path.starts_with("http") ? call.path : http::join(options_.nodes.at(call.node).url, call.path);
    request.body = std::move(call.body);
    request.deadline = Deadline::in(call.timeout);
    request.stop = stop;
    answers.push_back(client_.send(std::move(request)));
  }
  std::vector<Result<http::Response>> results;
  for (auto& answer : answers) {
    try {
      results.emplace_back(answer.get());
    } catch (const Error& error) {
      results.emplace_back(error);
    }
  }
  return results;
}

std::vector<Result<http::Response>> Cluster::ask_all(const std::string& method, const std::string& path,
                                                     const http::Body& body, std::stop_token stop) const {
  std::vector<Call> calls;
  for (std::size_t node = 0; node < size(); ++node) calls.push_back({node, method, path, body});
  return ask(std::move(calls), std::move(stop));
}

bool Cluster::all_have_feature(std::string_view feature) const {
  return std::ranges::all_of(ask_all("GET", "metadata"), [&](const Result<http::Response>& answer) {
    try {
      const auto features = read_result<api::NodeMetadata>(answer.value().body).features;
      return std::ranges::find(features, feature) != features.end();
    } catch (const Error&) {
      return false;
    }
  });
}

std::string describe(const http::Response& response) {
  constexpr std::size_t kShown = 300;
  std::string text;
  if (response.body.size() <= http::kBodyInMemory) text = response.body.text(http::kBodyInMemory);
  if (const auto parsed = json::parse(text); parsed && parsed->is_object()) {
    if (const auto* detail = parsed->get_object().if_contains("detail")) {
      text = detail->is_string() ? std::string{detail->get_string()} : json::to_text(*detail);
    }
  }
  if (text.size() > kShown) text = text.substr(0, kShown) + "…";
  return fmt::format("status {}: {}", response.status, text);
}

/// One node's operation while it is followed.
struct NodeCalls::Followed {
  std::size_t node;
  std::optional<http::Body> request;
  std::string status_url{};
  api::Progress progress{};
  std::optional<http::Body> result{};
  int failures = 0;
};

namespace {

bool is_good(const Result<http::Response>& answer) { return answer && answer->status >= 200 && answer->status < 300; }

std::string reason(const Result<http::Response>& answer) {
  return answer ? describe(*answer) : answer.error().message();
}

/// The NodeResult in a result of any size; nullopt and what is wrong with the answer.
std::optional<api::NodeResult> understood(const Result<http::Response>& answer, std::string& problem) {
  if (!is_good(answer)) {
    problem = reason(answer);
    return std::nullopt;
  }
  try {
    const json::OnElement ignore = [](const json::Indices&, const json::value&) {};
    const auto source = answer->body.open();
    const auto rest = json::parse_stream(*source, {{"state.files", ignore}, {"hashes", ignore}});
    return json::read<api::NodeResult>(rest).value();
  } catch (const Error& error) {
    problem = error.message();
    return std::nullopt;
  }
}

}  // namespace

void NodeCalls::start(const std::string& path, std::vector<Followed>& nodes) {
  std::vector<Cluster::Call> calls;
  for (Followed& followed : nodes) {
    const auto timeout =
        kRequestTimeout + std::chrono::seconds{followed.request->size() >> 20};  // a big request takes its time
    calls.push_back({followed.node, "POST", path, std::move(*followed.request), timeout});
    followed.request.reset();
  }
  const auto answers = cluster_.ask(std::move(calls), operation_.stop());
  operation_.throw_if_cancelled();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto refuse = [&](std::string_view what) {
      fail(ErrorKind::transient, "{} could not start {}: {}", cluster_.name(nodes[i].node), path, what);
    };
    if (!is_good(answers[i])) refuse(reason(answers[i]));
    try {
      nodes[i].status_url = read_result<api::StartResult>(answers[i]->body).status_url;
    } catch (const Error& error) {
      refuse(fmt::format("its answer is not understood: {}", error.message()));
    }
  }
}

void NodeCalls::start_only(const std::string& path, const std::string& request) {
  const auto answers = cluster_.ask_all("POST", path, http::Body{request});
  for (std::size_t node = 0; node < answers.size(); ++node) {
    if (!is_good(answers[node]))
      log::warning("{} could not start {}: {}", cluster_.name(node), path, reason(answers[node]));
  }
}

void NodeCalls::accept(const std::string& path, const api::NodeResult& result, const http::Body& body,
                       Followed& followed) {
  if (!result.progress.succeeded()) {
    const auto& progress = result.progress;
    const auto counts = fmt::format("{} of {} done, {} failed", progress.handled, progress.total, progress.failed);
    fail(ErrorKind::transient, "{} on {} failed: {}", path, cluster_.name(followed.node),
         result.error.empty() ? counts : result.error);
  }
  followed.result = body;
}

void NodeCalls::poll(const std::string& path, std::vector<Followed*> nodes) {
  std::vector<Cluster::Call> calls;
  for (const Followed* followed : nodes) {
    calls.push_back({followed->node, "GET", followed->status_url, {}, cluster_.options().poll.result_timeout});
  }
  const auto answers = cluster_.ask(std::move(calls), operation_.stop());
  operation_.throw_if_cancelled();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    Followed& followed = *nodes[i];
    std::string problem;
    if (const auto result = understood(answers[i], problem)) {
      followed.failures = 0;
      followed.progress = result->progress;
      if (result->progress.final_) accept(path, *result, answers[i]->body, followed);
      continue;
    }
    if (answers[i] && answers[i]->status == 404) {
      fail(ErrorKind::transient, "{} does not know its {} any more: it was restarted, or another coordinator uses it",
           cluster_.name(followed.node), path);
    }
    log::warning("{} does not say how its {} goes: {}", cluster_.name(followed.node), path, problem);
    if (++followed.failures >= cluster_.options().poll.maximum_failures) {
      fail(ErrorKind::transient, "{} gave {} bad answers in a row about its {}, the last: {}",
           cluster_.name(followed.node), followed.failures, path, problem);
    }
  }
}

std::vector<std::optional<http::Body>> NodeCalls::each(const std::string& path,
                                                       std::vector<std::optional<http::Body>> requests,
                                                       const OnProgress& on_progress) {
  std::vector<Followed> nodes;
  for (std::size_t node = 0; node < requests.size(); ++node) {
    if (requests[node]) nodes.push_back({node, std::move(requests[node])});
  }
  operation_.wait(Duration::zero());  // forgets what woke an earlier step
  start(path, nodes);

  const PollOptions& options = cluster_.options().poll;
  const auto deadline = Deadline::in(options.duration);
  std::chrono::milliseconds delay = options.delay_start;
  std::set<std::size_t> due;  // empty: all
  for (;;) {
    std::vector<Followed*> waiting;
    for (Followed& followed : nodes) {
      if (!followed.result && (due.empty() || due.contains(followed.node))) waiting.push_back(&followed);
    }
    if (!waiting.empty()) poll(path, waiting);

    api::Progress sum;
    for (const Followed& followed : nodes) {
      sum.handled += followed.progress.handled;
      sum.total += followed.progress.total;
      sum.bytes += followed.progress.bytes;
      sum.bytes_total += followed.progress.bytes_total;
    }
    if (on_progress) on_progress(sum);
    if (std::ranges::all_of(nodes, [](const Followed& followed) { return followed.result.has_value(); })) break;
    if (deadline.passed()) {
      fail(ErrorKind::cancelled, "{} is not done after {} s (poll.duration)", path, options.duration.count());
    }
    due = wait_(delay);
    operation_.throw_if_cancelled();
    if (due.empty()) {
      delay = std::min(options.delay_max,
                       std::chrono::duration_cast<std::chrono::milliseconds>(delay * options.delay_multiplier));
    }
  }

  std::vector<std::optional<http::Body>> results(cluster_.size());
  for (Followed& followed : nodes) results[followed.node] = std::move(followed.result);
  return results;
}

}  // namespace cherax::coordinator
