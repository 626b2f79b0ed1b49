#include "plugins/cassandra/restore_builds.h"

#include <algorithm>

#include "base/log.h"
#include "plugins/cassandra/ring_checks.h"

namespace cherax::plugins::cassandra {

namespace lib = ::cherax::cassandra;

namespace {

constexpr std::chrono::seconds kBetweenLooks{1};
constexpr std::chrono::minutes kUpdatesTimeout{10};
/// The time between two flushes of hints is the period and what the first one took.
constexpr std::chrono::seconds kFlushTakes{3};

std::chrono::milliseconds longest_without_a_file(const std::vector<BuildsResult>& nodes) {
  std::chrono::milliseconds longest{0};
  for (const auto& node : nodes) longest = std::max(longest, std::chrono::milliseconds{node.hints_flush_period_ms});
  return longest + kFlushTakes;
}

std::vector<std::string> node_names(const coordinator::Restore& restore) {
  std::vector<std::string> names;
  for (std::size_t node = 0; node < restore.cluster().size(); ++node) names.push_back(restore.cluster().name(node));
  return names;
}

/// Until `look` has nothing to wait for.
template <class Look>
void poll(coordinator::Restore& restore, const BuildWatch& watch, Look look) {
  Clock& clock = restore.clock();
  const SteadyTime end = clock.steady() + restore.cluster().options().poll.duration;
  for (;;) {
    const auto waiting =
        look(read_results<BuildsResult>(restore.nodes().all("cassandra/get-builds", api::NodeRequest{})));
    restore.plan().progress(watch.progress());
    if (!waiting) return;
    if (clock.steady() > end) fail(ErrorKind::transient, "{} (poll.duration)", *waiting);
    clock.sleep_for(kBetweenLooks, restore.plan().stop());
    restore.operation().throw_if_cancelled();
  }
}

}  // namespace

BuildWatch::BuildWatch(const lib::Schema& schema, std::vector<std::string> node_names)
    : node_names_(std::move(node_names)) {
  for (const auto& keyspace : schema.keyspaces) {
    for (const auto& table : keyspace.tables) {
      for (const auto& view : table.materialized_views) views_.push_back(keyspace.name + "." + view.name);
      for (const auto& index : table.indexes) indexes_.push_back(keyspace.name + "." + index.name);
    }
  }
}

std::optional<std::string> BuildWatch::look_for_views(const std::vector<BuildsResult>& nodes) {
  return what_is_not_built(nodes, true);
}

std::optional<std::string> BuildWatch::look_for_all(const std::vector<BuildsResult>& nodes, SteadyTime now) {
  if (auto missing = what_is_not_built(nodes, false)) return missing;
  if (views_.empty()) return std::nullopt;
  if (!built_since_) built_since_ = now;
  auto undelivered = what_is_not_delivered(nodes, now);
  if (undelivered && now - *built_since_ > kUpdatesTimeout) {
    log::warning("all views are built, but {}: perhaps of clients", *undelivered);
    return std::nullopt;
  }
  return undelivered;
}

std::optional<std::string> BuildWatch::what_is_not_built(const std::vector<BuildsResult>& nodes, bool only_views) {
  progress_ = {.total = std::ssize(nodes) * (std::ssize(views_) + (only_views ? 0 : std::ssize(indexes_)))};
  std::optional<std::string> missing;
  for (std::size_t node = 0; node < nodes.size(); ++node) {
    const auto count = [&](const std::vector<std::string>& names, const std::vector<std::string>& built) {
      for (const auto& name : names) {
        if (std::ranges::find(built, name) != built.end())
          ++progress_.handled;
        else
          missing = fmt::format("{} is not built on {}", name, node_names_.at(node));
      }
    };
    count(views_, nodes[node].views);
    if (!only_views) count(indexes_, nodes[node].indexes);
  }
  return missing;
}

std::optional<std::string> BuildWatch::what_is_not_delivered(const std::vector<BuildsResult>& nodes, SteadyTime now) {
  for (std::size_t node = 0; node < nodes.size(); ++node) {
    const auto batches = nodes[node].undelivered_batches;
    const auto hints = nodes[node].undelivered_hint_files;
    if (batches == 0 && hints == 0) continue;
    quiet_since_.reset();
    return fmt::format("{} batches and {} files of hints are not delivered from {}", batches, hints,
                       node_names_.at(node));
  }
  if (!quiet_since_) quiet_since_ = now;
  if (now - *quiet_since_ > longest_without_a_file(nodes)) return std::nullopt;
  return "hints may still be in memory";
}

void wait_until_views_are_built(coordinator::Restore& restore, const lib::Schema& schema) {
  BuildWatch watch{schema, node_names(restore)};
  if (!watch.has_views()) return;
  poll(restore, watch, [&](const std::vector<BuildsResult>& nodes) { return watch.look_for_views(nodes); });
}

void wait_until_built(coordinator::Restore& restore, const lib::Schema& schema) {
  BuildWatch watch{schema, node_names(restore)};
  if (!watch.has_anything()) return;
  poll(restore, watch,
       [&](const std::vector<BuildsResult>& nodes) { return watch.look_for_all(nodes, restore.clock().steady()); });
}

}  // namespace cherax::plugins::cassandra
