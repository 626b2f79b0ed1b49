#pragma once

namespace cherax::transform {

struct LevelRange {
  int lowest;
  int highest;
};

}  // namespace cherax::transform
