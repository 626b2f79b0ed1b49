#pragma once

#include <string>
#include <vector>

namespace cherax::cassandra {

/// A node as far as it decides which backup it can take over. Empty: not known.
struct Place {
  std::string datacenter;
  std::string rack;
  std::string az;
  std::string address;
  std::string name;  ///< for messages
};

/// For each node of the backup the index of the node that takes its data and tokens: nobody twice. Replicas lie where
/// datacenter and rack of the owners say, so a rack goes whole to one rack of the same datacenter, no two racks to one:
/// racks of equal names first, the rest renamed one to one, the largest first, each to the smallest rack with room.
/// In a rack, nodes of equal address first, then in order.
///
/// A backup that knows no datacenters (Astacus') but racks maps by rack if the nodes are in one datacenter; where a
/// datacenter or rack is missing otherwise, `az` takes the place of the rack on both sides.
///
/// Error{invalid} naming the rack with too few nodes, or the datacenter with too few racks. Nodes may be left over.
std::vector<std::size_t> map_nodes(const std::vector<Place>& backup, const std::vector<Place>& nodes);

/// `moved[i]` is where the node that took over `backup[i]` really is. Error{invalid} when it is in another datacenter,
/// a rack of the backup was split, or two share one. What the backup does not know is not looked at.
void require_racks_kept(const std::vector<Place>& backup, const std::vector<Place>& moved);

}  // namespace cherax::cassandra
