// Joins rotations that can share one sweep over a tile.
#include <algorithm>

#include "program.h"

namespace qcgrad {
namespace {

constexpr int kPairingWindow = 64;  // how far ahead a partner is looked for, so that planning stays linear

class Scheduler {
 public:
  Scheduler(int lanes, Pass* pass) : lanes_(lanes), pass_(*pass) {}

  void run(const std::vector<Rotation>& list) {
    const int count = static_cast<int>(list.size());
    std::vector<char> used(count, 0);
    for (int i = 0; i < count; ++i) {
      if (used[i]) continue;
      used[i] = 1;
      const int first = static_cast<int>(pass_.rotations.size());
      pass_.rotations.push_back(list[i]);
      Step step;
      step.kind = Step::kRotate1;
      step.a = first;
      const int lane = single_lane(list[i]);
      if (lane >= 0) {
        step.kind = Step::kLanes;
        step.lanes[lane] = first;
      }
      const int end = std::min(count, i + kPairingWindow);
      for (int j = i + 1; j < end; ++j) {
        if (used[j]) continue;
        bool crossed = false;
        const int other_lane = single_lane(list[j]);
        const bool joins = lane >= 0 ? other_lane >= 0 && joins_lanes(step, list[j], other_lane)
                                     : pairs(list[i], list[j], &crossed);
        if (!joins) continue;
        bool free = true;
        for (int k = i + 1; k < j && free; ++k) free = used[k] || commute(list[k], list[j]);
        if (!free) continue;
        used[j] = 1;
        pass_.rotations.push_back(list[j]);
        const int index = static_cast<int>(pass_.rotations.size()) - 1;
        if (lane >= 0) {
          step.lanes[other_lane] = index;
        } else {
          step.kind = Step::kRotate2;
          step.b = index;
          step.crossed = crossed;
          break;
        }
      }
      pass_.steps.push_back(step);
    }
  }

 private:
  u32 lane_part(u32 mask) const { return mask & ((u32{1} << lanes_) - 1); }
  u32 row_part(u32 mask) const { return mask >> lanes_; }
  static bool commute(const Rotation& a, const Rotation& b) {
    return parity32(a.flip & b.sign) == parity32(b.flip & a.sign);
  }
  // Flips one lane bit and nothing else, with a sign that does not depend on the row.
  int single_lane(const Rotation& r) const {
    if (row_part(r.flip) || row_part(r.sign) || popcount(r.flip) != 1) return -1;
    return lowest_bit(r.flip);
  }
  bool on_rows_only(const Rotation& r) const { return !lane_part(r.flip) && !lane_part(r.sign); }
  bool pairs(const Rotation& a, const Rotation& b, bool* crossed) const {
    if (!on_rows_only(a) || !on_rows_only(b) || a.flip == b.flip) return false;
    *crossed = a.sign == b.sign;
    if (*crossed) return a.outer == b.outer;
    return !parity32(a.sign & b.flip) && !parity32(b.sign & a.flip);
  }

  bool joins_lanes(const Step& step, const Rotation& r, int lane) const {
    if (step.lanes[lane] >= 0) return false;
    for (int member : step.lanes)
      if (member >= 0 && !commute(pass_.rotations[member], r)) return false;
    return true;
  }

  const int lanes_;
  Pass& pass_;
};

}  // namespace

void schedule_rotations(const std::vector<Rotation>& list, int lanes, Pass* pass) { Scheduler(lanes, pass).run(list); }

}  // namespace qcgrad
