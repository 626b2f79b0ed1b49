#include "cassandra/ring.h"

#include <algorithm>
#include <map>
#include <set>

namespace cherax::cassandra {

namespace {

std::vector<std::string_view> split_words(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) return words;
    line.remove_prefix(begin);
    const std::size_t end = std::min(line.find_first_of(" \t\r"), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

/// The words from `first` on with what stands between them; they are views into one line.
std::string joined(const std::vector<std::string_view>& words, std::size_t first) {
  return {words[first].data(), words.back().data() + words.back().size()};
}

std::optional<Liveness> liveness_of(char letter) {
  switch (letter) {
    case 'U':
      return Liveness::up;
    case 'D':
      return Liveness::down;
    case '?':
      return Liveness::unknown;
    default:
      return std::nullopt;
  }
}

std::optional<NodeState> state_of(char letter) {
  switch (letter) {
    case 'N':
      return NodeState::normal;
    case 'L':
      return NodeState::leaving;
    case 'J':
      return NodeState::joining;
    case 'M':
      return NodeState::moving;
    default:
      return std::nullopt;
  }
}

bool is_uuid(std::string_view word) {
  if (word.size() != 36) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash ? word[i] != '-' : std::string_view{"0123456789abcdefABCDEF"}.find(word[i]) == std::string_view::npos)
      return false;
  }
  return true;
}

/// `UN  127.0.0.1  136.47 KiB  4  66.7%  <host id>  rack 1`: the load is one or two words, the rack one or more. Where
/// every node has one token, it stands behind the host id. A joining node may not have told its host id: `null`.
std::optional<RingMember> parse_member(const std::vector<std::string_view>& words, bool token_follows_host_id) {
  auto host_id = std::ranges::find_if(words, is_uuid);
  const bool is_known = host_id != words.end();
  if (!is_known) host_id = std::ranges::find(words, "null");
  const auto rack = host_id - words.begin() + (token_follows_host_id ? 2 : 1);
  constexpr std::ptrdiff_t kFirstPossible = 5;  // state, address, load, tokens or share, host id, rack
  if (rack < kFirstPossible || rack >= std::ssize(words)) return std::nullopt;
  RingMember member;
  member.address = words[1];
  if (is_known) member.host_id = *host_id;
  member.rack = joined(words, static_cast<std::size_t>(rack));
  member.liveness = *liveness_of(words[0][0]);
  member.state = *state_of(words[0][1]);
  return member;
}

/// What is wrong with one view: text → whether it is only a state that may pass.
std::map<std::string, bool> deviations(const std::vector<ConfiguredNode>& configured, const RingView& view,
                                       const std::optional<std::string>& datacenter) {
  std::map<std::string, bool> found;
  std::set<std::string> seen;
  for (const RingMember& member : view.members) {
    if (datacenter && member.datacenter != *datacenter) continue;
    const bool is_configured =
        std::ranges::find(configured, member.host_id, &ConfiguredNode::host_id) != configured.end();
    const bool is_whole = member.liveness == Liveness::up && member.state == NodeState::normal;
    if (is_configured && !seen.insert(member.host_id).second) {
      found[fmt::format("host id {} of {} is in the ring twice", member.host_id, member.address)] = false;
    }
    if (!is_whole) {
      found[fmt::format("{} is {}", member.address, to_string(member.liveness, member.state))] = true;
    } else if (!is_configured) {
      found[fmt::format("{} (host id {}) is in the ring but not configured", member.address, member.host_id)] = false;
    }
  }
  for (const ConfiguredNode& node : configured) {
    if (!seen.contains(node.host_id)) {
      found[fmt::format("{} ({}, host id {}) is configured but not in the ring{}", node.name, node.address,
                        node.host_id, datacenter ? " of datacenter " + *datacenter : "")] = false;
    }
  }
  return found;
}

}  // namespace

std::string to_string(Liveness liveness, NodeState state) {
  std::string text;
  switch (liveness) {
    case Liveness::up:
      text = "up";
      break;
    case Liveness::down:
      text = "down";
      break;
    case Liveness::unknown:
      text = "neither known to be up nor down";
      break;
  }
  switch (state) {
    case NodeState::normal:
      break;
    case NodeState::leaving:
      text += " and leaving";
      break;
    case NodeState::joining:
      text += " and joining";
      break;
    case NodeState::moving:
      text += " and moving";
      break;
    case NodeState::unknown:
      text += " and in an unknown state";
      break;
  }
  return text;
}

Result<std::vector<RingMember>> parse_nodetool_status(std::string_view output) {
  std::vector<RingMember> members;
  std::string datacenter;
  bool token_follows_host_id = false;
  while (!output.empty()) {
    const std::size_t end = std::min(output.find('\n'), output.size());
    const std::string_view line = output.substr(0, end);
    output.remove_prefix(std::min(end + 1, output.size()));

    const auto words = split_words(line);
    if (words.empty()) continue;
    if (words[0] == "Datacenter:" && words.size() > 1) {
      datacenter = joined(words, 1);
    } else if (words[0] == "--") {
      token_follows_host_id = std::ranges::find(words, "Token") != words.end();
    } else if (words[0].size() == 2 && liveness_of(words[0][0]) && state_of(words[0][1])) {
      auto member = parse_member(words, token_follows_host_id);
      if (!member) return make_error(ErrorKind::corrupt, "nodetool status: a line that cannot be read: {}", line);
      member->datacenter = datacenter;
      members.push_back(*std::move(member));
    }
  }
  if (members.empty()) return make_error(ErrorKind::corrupt, "nodetool status: no node in its output");
  return members;
}

void require_configured_ring(const std::vector<ConfiguredNode>& configured, const std::vector<RingView>& views,
                             const std::optional<std::string>& datacenter) {
  std::map<std::string, std::vector<std::string>> viewers;  // of each deviation
  bool may_pass = true;
  for (const RingView& view : views) {
    for (const auto& [text, is_state] : deviations(configured, view, datacenter)) {
      viewers[text].push_back(view.viewer);
      may_pass = may_pass && is_state;
    }
  }
  if (viewers.empty()) return;
  std::vector<std::string> lines;
  for (const auto& [text, names] : viewers)
    lines.push_back(fmt::format("{} (seen by {})", text, fmt::join(names, ", ")));
  fail(may_pass ? ErrorKind::transient : ErrorKind::invalid, "the ring is not what is configured: {}",
       fmt::join(lines, "; "));
}

}  // namespace cherax::cassandra
