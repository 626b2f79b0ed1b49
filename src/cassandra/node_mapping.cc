#include "cassandra/node_mapping.h"

#include <algorithm>
#include <map>

#include "base/error.h"

namespace cherax::cassandra {

namespace {

using Indices = std::vector<std::size_t>;
using Racks = std::map<std::string, Indices>;  // rack → its nodes, in order

/// How nodes are grouped: what stands for datacenter and rack, and what they are called.
struct Grouping {
  std::map<std::string, Racks> backup;
  std::map<std::string, Racks> nodes;
  std::string rack_word;
};

template <class DatacenterOf, class RackOf>
std::map<std::string, Racks> group(const std::vector<Place>& places, DatacenterOf datacenter_of, RackOf rack_of) {
  std::map<std::string, Racks> groups;
  for (std::size_t i = 0; i < places.size(); ++i) groups[datacenter_of(places[i])][rack_of(places[i])].push_back(i);
  return groups;
}

Grouping group_both(const std::vector<Place>& backup, const std::vector<Place>& nodes) {
  const auto all_have = [](const std::vector<Place>& places, std::string Place::*member) {
    return std::ranges::none_of(places, [&](const Place& place) { return (place.*member).empty(); });
  };
  const auto datacenter_of = [](const Place& place) { return place.datacenter; };
  const auto rack_of = [](const Place& place) { return place.rack; };
  const bool racks_known =
      all_have(backup, &Place::rack) && all_have(nodes, &Place::rack) && all_have(nodes, &Place::datacenter);
  if (racks_known && all_have(backup, &Place::datacenter)) {
    return {group(backup, datacenter_of, rack_of), group(nodes, datacenter_of, rack_of), "rack"};
  }
  const auto in_first_datacenter = [&](const Place& place) { return place.datacenter == nodes.front().datacenter; };
  if (racks_known && std::ranges::all_of(nodes, in_first_datacenter)) {
    const auto only = [&](const Place&) { return nodes.front().datacenter; };
    return {group(backup, only, rack_of), group(nodes, only, rack_of), "rack"};
  }
  const auto none = [](const Place&) { return std::string{}; };
  const auto az_of = [](const Place& place) { return place.az; };
  return {group(backup, none, az_of), group(nodes, none, az_of), "az"};
}

/// Backup rack → rack of the nodes.
std::map<std::string, std::string> match_racks(const Racks& backup, const Racks& nodes, const std::string& where,
                                               const std::string& rack_word) {
  std::map<std::string, std::string> matches;
  std::vector<std::string> unmatched;
  std::vector<std::string> free;
  for (const auto& [rack, members] : backup) {
    const auto same = nodes.find(rack);
    if (same != nodes.end() && same->second.size() >= members.size())
      matches[rack] = rack;
    else
      unmatched.push_back(rack);
  }
  for (const auto& [rack, members] : nodes) {
    if (!matches.contains(rack)) free.push_back(rack);
  }
  std::ranges::stable_sort(unmatched, std::ranges::greater{}, [&](const auto& rack) { return backup.at(rack).size(); });
  std::ranges::stable_sort(free, {}, [&](const auto& rack) { return nodes.at(rack).size(); });
  for (const std::string& rack : unmatched) {
    const std::size_t wanted = backup.at(rack).size();
    const auto found =
        std::ranges::find_if(free, [&](const auto& candidate) { return nodes.at(candidate).size() >= wanted; });
    if (found == free.end()) {
      if (free.empty()) {
        fail(ErrorKind::invalid, "{}the backup has {} {}s, the nodes only {}: there is none for {} \"{}\"", where,
             backup.size(), rack_word, nodes.size(), rack_word, rack);
      }
      fail(ErrorKind::invalid,
           "{}{} \"{}\" of the backup has {} nodes, but the largest {} that is left, \"{}\", has {}", where, rack_word,
           rack, wanted, rack_word, free.back(), nodes.at(free.back()).size());
    }
    matches[rack] = *found;
    free.erase(found);
  }
  return matches;
}

/// Within one rack; there are enough nodes.
void match_members(const std::vector<Place>& backup, const Indices& backup_members, const std::vector<Place>& nodes,
                   Indices node_members, std::vector<std::size_t>& mapping) {
  Indices waiting;
  for (std::size_t index : backup_members) {
    const auto same = std::ranges::find_if(node_members, [&](std::size_t node) {
      return !backup[index].address.empty() && nodes[node].address == backup[index].address;
    });
    if (same == node_members.end()) {
      waiting.push_back(index);
      continue;
    }
    mapping[index] = *same;
    node_members.erase(same);
  }
  for (std::size_t i = 0; i < waiting.size(); ++i) mapping[waiting[i]] = node_members[i];
}

}  // namespace

std::vector<std::size_t> map_nodes(const std::vector<Place>& backup, const std::vector<Place>& nodes) {
  if (nodes.size() < backup.size()) {
    fail(ErrorKind::invalid, "the backup is of {} nodes, and there are only {}", backup.size(), nodes.size());
  }
  const Grouping grouping = group_both(backup, nodes);
  std::vector<std::size_t> mapping(backup.size());
  for (const auto& [datacenter, racks] : grouping.backup) {
    const auto found = grouping.nodes.find(datacenter);
    if (found == grouping.nodes.end()) {
      fail(ErrorKind::invalid, "the backup has nodes in datacenter \"{}\", and none of the nodes is in it", datacenter);
    }
    const std::string where = datacenter.empty() ? "" : fmt::format("datacenter \"{}\": ", datacenter);
    for (const auto& [rack, target] : match_racks(racks, found->second, where, grouping.rack_word)) {
      match_members(backup, racks.at(rack), nodes, found->second.at(target), mapping);
    }
  }
  return mapping;
}

void require_racks_kept(const std::vector<Place>& backup, const std::vector<Place>& moved) {
  using Rack = std::pair<std::string, std::string>;  // datacenter, rack
  std::map<Rack, Rack> forth, back;
  for (std::size_t i = 0; i < backup.size(); ++i) {
    const Place& from = backup[i];
    const Place& to = moved[i];
    if (from.rack.empty()) continue;
    if (!from.datacenter.empty() && from.datacenter != to.datacenter) {
      fail(ErrorKind::invalid, "{} is in datacenter \"{}\", and what it took over in \"{}\"", to.name, to.datacenter,
           from.datacenter);
    }
    const Rack old_rack{from.datacenter, from.rack};
    const Rack new_rack{to.datacenter, to.rack};
    const bool is_kept = forth.try_emplace(old_rack, new_rack).first->second == new_rack &&
                         back.try_emplace(new_rack, old_rack).first->second == old_rack;
    if (is_kept) continue;
    fail(ErrorKind::invalid,
         "{} is in rack \"{}\", but took over a node of rack \"{}\": racks would be split or mixed, and replicas not "
         "where "
         "replication looks for them. Set `az` in coordinator.nodes to the racks",
         to.name, to.rack, from.rack);
  }
}

}  // namespace cherax::cassandra
