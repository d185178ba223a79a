// Chooses the passes: which address bits a tile spans, and which operations run while it is in cache.
#include "plan.h"

#include <algorithm>

#include "program.h"

namespace qcgrad {
namespace {

// The span of a tile while operations are being added to it.
class TileBuilder {
 public:
  TileBuilder(int address_bits, int run_bits, int capacity) : capacity_(capacity) {
    const int run = std::min(run_bits, address_bits);
    for (int k = 0; k < run; ++k) units_ |= u64{1} << k;
    if (address_bits <= capacity) units_ = (u64{1} << address_bits) - 1;
  }
  // Makes x flippable inside the tile, if there is room. `alone`: nothing was accepted before, so it has to fit.
  bool accept(const NormalOp& op, bool alone) {
    const u64 missing = op.x & ~units_;
    if (!missing) return true;
    if (wide_) return op.kind != NormalOp::kDense && (missing == wide_);
    if (popcount(units_ | missing) <= capacity_) {
      units_ |= missing;
      return true;
    }
    if (!alone) return false;
    if (op.kind == NormalOp::kDense) {
      units_ |= missing;  // a larger tile than usual; make_plan sizes the buffers accordingly
    } else {
      wide_ = missing;  // flips more bits than a tile has: they become a single generator
    }
    return true;
  }
  // Spare capacity takes the lowest free bits: longer contiguous runs.
  std::vector<u64> generators(int address_bits) {
    if (!wide_)
      for (int k = 0; k < address_bits && popcount(units_) < std::min(capacity_, address_bits); ++k)
        units_ |= u64{1} << k;
    std::vector<u64> g;
    for (u64 u = units_; u; u &= u - 1) g.push_back(u & (~u + 1));
    if (wide_) g.push_back(wide_);
    return g;
  }

 private:
  u64 units_ = 0, wide_ = 0;
  int capacity_;
};

}  // namespace

void make_plan(NormalForm form, const PlanOptions& options, Plan* plan) {
  plan->form = std::move(form);
  plan->lanes = options.lanes;
  plan->address_bits = std::max(plan->form.num_qubits, options.lanes);
  plan->max_tile_bits = 0;
  plan->passes.clear();
  const int capacity = std::max(options.tile_bits, options.lanes + 2);
  plan->single_tile = plan->address_bits <= capacity;
  // Runs leave room in the tile for at least one more bit.
  const int run_bits = std::min(std::max(options.run_bits, options.lanes), capacity - 1);

  const std::vector<NormalOp>& ops = plan->form.ops;
  std::vector<int> remaining(ops.size()), later;
  for (std::size_t i = 0; i < ops.size(); ++i) remaining[i] = static_cast<int>(i);
  u64 reach = options.reach;
  const u64 all = (u64{1} << plan->form.num_qubits) - 1;
  do {
    TileBuilder builder(plan->address_bits, run_bits, capacity);
    std::vector<int> taken;
    Skipped skipped;
    later.clear();
    for (std::size_t i = 0; i < remaining.size(); ++i) {
      const NormalOp& op = ops[remaining[i]];
      if (!skipped.blocks(op) && builder.accept(op, taken.empty() && later.empty())) {
        taken.push_back(remaining[i]);
        continue;
      }
      skipped.add(op);
      later.push_back(remaining[i]);
      if (skipped.mixed == all) {  // nothing further can overtake
        later.insert(later.end(), remaining.begin() + i + 1, remaining.end());
        break;
      }
    }
    plan->passes.emplace_back();
    Pass& pass = plan->passes.back();
    pass.shape.generators = builder.generators(plan->address_bits);
    pass.shape.finish(plan->address_bits, reach ? reach : ~u64{0});
    pass.reach_before = reach;
    for (u64 g : pass.shape.generators) reach |= g;
    pass.reach_after = reach;
    plan->max_tile_bits = std::max(plan->max_tile_bits, pass.shape.bits);
    make_program(plan->form, taken, plan->lanes, &pass);
    remaining.swap(later);
  } while (!remaining.empty());
}

}  // namespace qcgrad
