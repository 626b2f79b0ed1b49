#include "plugins/cassandra/restore_process.h"

#include <algorithm>

#include "plugins/cassandra/ring_checks.h"

namespace cherax::plugins::cassandra {

namespace {

constexpr std::chrono::seconds kBetweenLooks{1};
constexpr int kStarts = 3;
/// A process that has begun may show nothing of itself for so long.
constexpr std::chrono::seconds kStartGrace{30};
constexpr std::chrono::seconds kDeniedGrace{30};

http::Body start_request(coordinator::Restore& restore, std::size_t node, const TokensOfNodes& tokens) {
  StartRequest request;
  request.result_url = restore.operation().result_url(node);
  request.tokens = tokens[node];
  return http::Body{json::to_text(request)};
}

/// What is not yet as it should be; nothing when all is.
std::optional<std::string> what_is_missing(const std::vector<RingResult>& rings, const TokensOfNodes& tokens,
                                           const coordinator::Cluster& cluster, const PluginOptions& options) {
  try {
    check_ring(rings, cluster, options);
  } catch (const Error& error) {
    return error.message();
  }
  for (std::size_t node = 0; node < rings.size(); ++node) {
    if (same_tokens(rings[node].tokens, tokens[node])) continue;
    // Cassandra prefers tokens that it has saved to those that it is given, silently.
    fail(ErrorKind::invalid,
         "{} started with other tokens than those of the backup: was its system keyspace not cleared?",
         cluster.name(node));
  }
  return std::nullopt;
}

/// Who is refused, is so for good, as with credentials that the backup's roles do not have; but a node that does not
/// see the others yet may look for a role where it is not. So for a while only, once every node takes questions.
class Denials {
 public:
  explicit Denials(Clock& clock) : clock_(clock) {}

  void refuse_lasting(const std::vector<RingResult>& rings, const coordinator::Cluster& cluster) {
    const auto denied = std::ranges::find(rings, true, &RingResult::denied);
    const auto takes_questions = [](const RingResult& ring) { return ring.answers || ring.denied; };
    if (denied == rings.end() || !std::ranges::all_of(rings, takes_questions)) return since_.reset();
    if (!since_) since_ = clock_.steady();
    if (clock_.steady() - *since_ < kDeniedGrace) return;
    fail(ErrorKind::denied,
         "{} goes on refusing Cherax: {}. If that is its login: roles and passwords are those of the backup now; give "
         "node.cassandra.client and plugin_config.client a user of that time, and restart the servers of Cherax",
         cluster.name(static_cast<std::size_t>(denied - rings.begin())), denied->why_not);
  }

 private:
  Clock& clock_;
  std::optional<SteadyTime> since_;
};

/// Starts nodes again that have ended at their start, as one in twenty does when its seed is not up yet.
class Restarts {
 public:
  Restarts(std::size_t nodes, Clock& clock) : clock_(clock), starts_(nodes, 1), seen_(nodes, clock.steady()) {}

  void again(coordinator::Restore& restore, const TokensOfNodes& tokens, const std::vector<RingResult>& rings) {
    for (std::size_t node = 0; node < rings.size(); ++node) {
      if (rings[node].alive) seen_[node] = clock_.steady();
      if (clock_.steady() - seen_[node] < kStartGrace || starts_[node] >= kStarts) continue;
      ++starts_[node];
      seen_[node] = clock_.steady();
      log::warning("Cassandra on {} has ended at its start and is started again: {}", restore.cluster().name(node),
                   rings[node].why_not);
      std::vector<std::optional<http::Body>> request(tokens.size());
      request[node] = start_request(restore, node, tokens);
      try {
        restore.nodes().each("cassandra/start-cassandra", std::move(request), {});
      } catch (const Error& error) {
        log::warning("{}", error.message());  // perhaps it does run: the next looks will tell
      }
    }
  }

 private:
  Clock& clock_;
  std::vector<int> starts_;
  std::vector<SteadyTime> seen_;
};

}  // namespace

void start(coordinator::Restore& restore, const TokensOfNodes& tokens) {
  std::vector<std::optional<http::Body>> requests;
  for (std::size_t node = 0; node < tokens.size(); ++node) requests.emplace_back(start_request(restore, node, tokens));
  restore.nodes().each("cassandra/start-cassandra", std::move(requests), {});
}

std::vector<RingResult> wait_until_up(coordinator::Restore& restore, const TokensOfNodes& tokens,
                                      const PluginOptions& options, std::chrono::seconds timeout) {
  PluginOptions any_identity = options;
  any_identity.nodes.reset();  // host ids are new after a restore
  const auto& cluster = restore.cluster();
  Restarts starts{tokens.size(), restore.clock()};
  Denials denials{restore.clock()};
  const SteadyTime end = restore.clock().steady() + timeout;
  for (;;) {
    auto rings = read_results<RingResult>(restore.nodes().all("cassandra/get-ring", api::NodeRequest{}));
    const auto missing = what_is_missing(rings, tokens, cluster, any_identity);
    restore.plan().progress(
        {.handled = std::ranges::count(rings, true, &RingResult::answers), .total = std::ssize(rings)});
    if (!missing) return rings;
    denials.refuse_lasting(rings, cluster);
    if (restore.clock().steady() > end)
      fail(ErrorKind::transient, "not so after {} s (restore_start_timeout): {}", timeout.count(), *missing);

    starts.again(restore, tokens, rings);
    restore.clock().sleep_for(kBetweenLooks, restore.plan().stop());
    restore.operation().throw_if_cancelled();
  }
}

StopRequest drain_request() {
  StopRequest request;
  request.drain = request.cleared = true;
  return request;
}

void stop_all(coordinator::Restore& restore) {
  try {
    restore.nodes().all("cassandra/stop-cassandra", StopRequest{});
  } catch (const Error& error) {
    throw Error{error.kind(),
                fmt::format("{}. Nothing was cleared; nodes that are stopped can be started as ever", error.message())};
  }
}

void leaving_nodes_stopped(coordinator::Restore& restore, const std::function<void()>& steps) {
  try {
    steps();
  } catch (const Error& error) {
    StopRequest request;
    request.cleared = true;
    restore.nodes().clean_up("cassandra/stop-cassandra", request);
    throw Error{error.kind(), fmt::format("{}. The nodes are left stopped; what they held before is in <directory>{} "
                                          "unless it was discarded. To go on: "
                                          "cherax restore --backup {} --overwrite",
                                          error.message(), suffix_of(restore), restore.backup().full())};
  }
}

}  // namespace cherax::plugins::cassandra
