#include "describe.h"

#include <cstdio>

namespace qcgrad {

std::string describe(const Plan& plan, const ObservablePlan* observables, int bytes_per_real) {
  std::string text;
  char line[400];
  const double amplitudes = static_cast<double>(u64{1} << plan.address_bits);
  double forward_flops = 0, backward_flops = 0, forward_bytes = 0, backward_bytes = 0;
  for (std::size_t i = 0; i < plan.passes.size(); ++i) {
    const Pass& p = plan.passes[i];
    int count[7] = {}, lane_rotations = 0;
    std::size_t product = 0, fixed = 0, moving = 0;
    for (const Step& s : p.steps) {
      ++count[s.kind];
      for (int l : s.lanes) lane_rotations += l >= 0;
    }
    for (const PhaseStep& s : p.phases) product += s.product.size(), fixed += s.fixed.size(), moving += s.moving.size();
    const double share = static_cast<double>(p.shape.count(p.reach_after) << p.shape.bits) / amplitudes;
    std::snprintf(line, sizeof line,
                  "pass %zu: tile 2^%d, runs of 2^%d, %.3g of the state; %d pairs and %d single rotations, %d lane sweeps "
                  "(%d rotations), %d phase sweeps (%zu product, %zu fixed, %zu moving), %d groups, %d permutations, %d dense\n",
                  i, p.shape.bits, p.shape.run_bits, share, count[Step::kRotate2], count[Step::kRotate1],
                  count[Step::kLanes], lane_rotations, count[Step::kPhase], product, fixed, moving,
                  count[Step::kGroup], count[Step::kLinear], count[Step::kDense]);
    text += line;
    // Multiply-adds count as two operations; tangent form for pairs, two terms elsewhere.
    const double per_amplitude = 8.0 * count[Step::kRotate2] + 6.0 * count[Step::kRotate1] + 8.0 * lane_rotations +
                                 14.0 * count[Step::kPhase];
    forward_flops += share * amplitudes * per_amplitude;
    backward_flops += share * amplitudes * (24.0 * count[Step::kRotate2] + 18.0 * count[Step::kRotate1] +
                                            20.0 * lane_rotations + 25.0 * count[Step::kPhase]);
    const double bytes = share * amplitudes * 4 * bytes_per_real;  // both halves, read and written
    forward_bytes += bytes;
    backward_bytes += 2 * bytes;
  }
  std::snprintf(line, sizeof line, "forward: %.3g flop, %.3g bytes; backward: %.3g flop, %.3g bytes\n", forward_flops,
                forward_bytes, backward_flops, backward_bytes);
  text += line;
  if (observables)
    for (std::size_t i = 0; i < observables->passes.size(); ++i) {
      std::size_t strings = 0;
      for (const ObservableGroup& g : observables->passes[i].groups) strings += g.strings.size();
      std::snprintf(line, sizeof line, "observable pass %zu: tile 2^%d, %zu flips, %zu strings\n", i,
                    observables->passes[i].shape.bits, observables->passes[i].groups.size(), strings);
      text += line;
    }
  return text;
}

}  // namespace qcgrad
