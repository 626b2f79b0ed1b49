#include "cassandra/node_mapping.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"

namespace cherax::cassandra {
namespace {

using Mapping = std::vector<std::size_t>;

Place place(const std::string& datacenter, const std::string& rack, const std::string& az = "",
            const std::string& address = "") {
  return {datacenter, rack, az, address, address};
}

std::string failure(const std::vector<Place>& backup, const std::vector<Place>& nodes) {
  try {
    map_nodes(backup, nodes);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid);
    return error.message();
  }
}

TEST(NodeMapping, EqualNamesFirst) {
  EXPECT_EQ(map_nodes({place("d", "r1"), place("d", "r2"), place("d", "r3")},
                      {place("d", "r3"), place("d", "r1"), place("d", "r2")}),
            (Mapping{1, 2, 0}));
}

TEST(NodeMapping, OtherRacksAreRenamedWhole) {
  EXPECT_EQ(map_nodes({place("d", "a"), place("d", "b"), place("d", "a")},
                      {place("d", "x"), place("d", "y"), place("d", "y")}),
            (Mapping{1, 0, 2}));
  EXPECT_EQ(map_nodes({place("d", "a"), place("d", "b")}, {place("d", "b"), place("d", "z")}), (Mapping{1, 0}));
}

TEST(NodeMapping, RacksOfEqualSizeInDifferentDatacentersAreNotSwapped) {
  EXPECT_EQ(map_nodes({place("d1", "a"), place("d2", "b")}, {place("d2", "a"), place("d1", "b")}), (Mapping{1, 0}));
}

TEST(NodeMapping, NodesOfEqualAddressKeepTheirData) {
  EXPECT_EQ(map_nodes({place("d", "r", "", "10.1"), place("d", "r", "", "10.2"), place("d", "r", "", "10.9")},
                      {place("d", "r", "", "10.3"), place("d", "r", "", "10.2"), place("d", "r", "", "10.1")}),
            (Mapping{2, 1, 0}));
}

TEST(NodeMapping, TooLittleIsNamed) {
  EXPECT_EQ(failure({place("d", "a"), place("d", "b")}, {place("d", "a")}),
            "the backup is of 2 nodes, and there are only 1");
  EXPECT_EQ(failure({place("d", "a"), place("d", "b")}, {place("d", "a"), place("d", "a")}),
            "datacenter \"d\": the backup has 2 racks, the nodes only 1: there is none for rack \"b\"");
  EXPECT_EQ(
      failure({place("d", "a"), place("d", "a"), place("d", "b")}, {place("d", "a"), place("d", "x"), place("d", "y")}),
      "datacenter \"d\": rack \"a\" of the backup has 2 nodes, but the largest rack that is left, \"y\", has 1");
  EXPECT_EQ(failure({place("d1", "a")}, {place("d2", "a")}),
            "the backup has nodes in datacenter \"d1\", and none of the nodes is in it");
}

TEST(NodeMapping, BackupWithoutDatacentersMapsByRackInOneDatacenter) {
  EXPECT_EQ(map_nodes({place("", "r1", "z"), place("", "r2", "z")}, {place("d", "r2", "z"), place("d", "r1", "z")}),
            (Mapping{1, 0}));
}

TEST(NodeMapping, AzStandsInForWhatIsMissing) {
  EXPECT_EQ(map_nodes({place("", "", "z1"), place("", "", "z2")}, {place("d", "r", "z2"), place("d", "r", "z1")}),
            (Mapping{1, 0}));
  EXPECT_EQ(
      map_nodes({place("", "r1", "z1"), place("", "r2", "z2")}, {place("d1", "r1", "z2"), place("d2", "r2", "z1")}),
      (Mapping{1, 0}));
  EXPECT_EQ(failure({place("", "", "z1"), place("", "", "z2")}, {place("d", "r", "z1"), place("d", "r", "z1")}),
            "the backup has 2 azs, the nodes only 1: there is none for az \"z2\"");
}

std::vector<Place> places(int most) {
  std::vector<Place> found;
  for (int i = *rc::gen::inRange(1, most); i > 0; --i) {
    found.push_back(
        place(*rc::gen::element<std::string>("d1", "d2"), *rc::gen::element<std::string>("r1", "r2", "r3", "r4")));
  }
  return found;
}

/// Racks of a datacenter with their sizes.
std::map<std::string, std::map<std::string, std::size_t>> sizes(const std::vector<Place>& places) {
  std::map<std::string, std::map<std::string, std::size_t>> found;
  for (const Place& one : places) ++found[one.datacenter][one.rack];
  return found;
}

/// By trying every assignment: can the racks without an equal name that has room be placed one to one?
bool is_possible(const std::map<std::string, std::size_t>& backup, const std::map<std::string, std::size_t>& nodes) {
  std::vector<std::size_t> wanted;
  std::map<std::string, std::size_t> left = nodes;
  for (const auto& [rack, size] : backup) {
    if (nodes.contains(rack) && nodes.at(rack) >= size)
      left.erase(rack);
    else
      wanted.push_back(size);
  }
  std::vector<std::size_t> room;
  for (const auto& [rack, size] : left) room.push_back(size);
  if (room.size() < wanted.size()) return false;
  std::ranges::sort(room);
  do {
    bool fits = true;
    for (std::size_t i = 0; i < wanted.size(); ++i) fits = fits && wanted[i] <= room[i];
    if (fits) return true;
  } while (std::ranges::next_permutation(room).found);
  return false;
}

RC_GTEST_PROP(NodeMapping, MovesRacksWholeOrSaysWhyNot, ()) {
  const auto backup = places(6);
  const auto nodes = places(10);
  bool possible = true;
  const auto backup_sizes = sizes(backup);
  auto node_sizes = sizes(nodes);
  for (const auto& [datacenter, racks] : backup_sizes)
    possible = possible && is_possible(racks, node_sizes[datacenter]);

  Mapping mapping;
  try {
    mapping = map_nodes(backup, nodes);
  } catch (const Error&) {
    RC_ASSERT(!possible);
    return;
  }
  RC_ASSERT(possible);
  RC_ASSERT(mapping.size() == backup.size());
  RC_ASSERT(std::set<std::size_t>(mapping.begin(), mapping.end()).size() == mapping.size());
  std::vector<Place> moved;
  for (const std::size_t node : mapping) moved.push_back(nodes[node]);
  require_racks_kept(backup, moved);
  using Rack = std::pair<std::string, std::string>;
  std::map<Rack, Rack> to;
  std::map<Rack, Rack> from;
  for (std::size_t i = 0; i < backup.size(); ++i) {
    const Rack old_rack{backup[i].datacenter, backup[i].rack};
    const Rack new_rack{nodes[mapping[i]].datacenter, nodes[mapping[i]].rack};
    RC_ASSERT(old_rack.first == new_rack.first);
    RC_ASSERT(to.emplace(old_rack, new_rack).first->second == new_rack);
    RC_ASSERT(from.emplace(new_rack, old_rack).first->second == old_rack);
    const auto& target_racks = node_sizes[old_rack.first];
    const auto same = target_racks.find(old_rack.second);
    if (same != target_racks.end() && same->second >= backup_sizes.at(old_rack.first).at(old_rack.second))
      RC_ASSERT(old_rack == new_rack);
  }
}

TEST(NodeMapping, RacksMustTurnOutToBeKept) {
  const std::vector<Place> backup{{"dc", "a", "", "", ""}, {"dc", "a", "", "", ""}, {"dc", "b", "", "", ""}};
  const auto moved = [](std::string first, std::string second, std::string third, std::string datacenter = "dc") {
    return std::vector<Place>{{datacenter, std::move(first), "", "", "n1"},
                              {"dc", std::move(second), "", "", "n2"},
                              {"dc", std::move(third), "", "", "n3"}};
  };
  EXPECT_NO_THROW(require_racks_kept(backup, moved("a", "a", "b")));
  EXPECT_NO_THROW(require_racks_kept(backup, moved("x", "x", "a"))) << "renamed";
  EXPECT_THROW(require_racks_kept(backup, moved("a", "b", "b")), Error) << "split";
  EXPECT_THROW(require_racks_kept(backup, moved("a", "a", "a")), Error) << "mixed";
  EXPECT_THROW(require_racks_kept(backup, moved("a", "a", "b", "other")), Error) << "another datacenter";
  auto unknown = backup;
  for (Place& place : unknown) place.rack.clear(), place.datacenter.clear();
  EXPECT_NO_THROW(require_racks_kept(unknown, moved("a", "b", "b")));
}

RC_GTEST_PROP(NodeMapping, TheSameNodesMapToThemselves, ()) {
  auto backup = places(8);
  for (std::size_t i = 0; i < backup.size(); ++i) backup[i].address = std::to_string(i);
  const Mapping mapping = map_nodes(backup, backup);
  for (std::size_t i = 0; i < backup.size(); ++i) RC_ASSERT(mapping[i] == i);
}

}  // namespace
}  // namespace cherax::cassandra
