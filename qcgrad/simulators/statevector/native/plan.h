// The execution plan of a circuit: passes over memory, and inside a pass a short program run on every tile.
// See native.md for the picture. A plan depends on the circuit, the vector width and the tile size, never on
// the angles.
#pragma once
#include <vector>

#include "bits.h"
#include "normal_form.h"

namespace qcgrad {

// Tile-local index: bits [0, lanes) lie inside a vector, [lanes, m) number the rows, and bit m selects the
// real (0) or imaginary (1) half. Masks called "flip" and "sign" below are over these m + 1 bits: a Pauli
// exponential acts on the real vector as exp(-t K / 2) with K = sigma X^flip Z^sign real and antisymmetric.

// The sign a form over the base address gives a tile: 1 for minus.
static inline u32 tile_parity(u64 outer, u64 base) { return static_cast<u32>(parity(outer & (base | kConstBit))); }

// One exponential on a tile; `outer` is the parity form over the tile's base address that flips sigma.
struct Rotation {
  u32 flip = 0, sign = 0;
  u64 outer = 0;
  double sigma = 1;
  int term = -1;
};

// A diagonal exponential: exp(-i t/2 (-1)^{form.p + outer.base} * sigma).
struct PhaseTerm {
  u32 form = 0;
  u64 outer = 0;
  double sigma = 1;
  int term = -1;
};

struct PhaseStep {
  std::vector<PhaseTerm> product;  // form has at most one bit: the tile's phases factorise over its bits
  std::vector<PhaseTerm> fixed;    // no dependence on the tile's address: one table for the whole pass
  std::vector<PhaseTerm> moving;   // the rest: a table per tile
  int fixed_table = -1;            // index of the table built once per pass
};

// Commuting exponentials with the same flips: a rotation by an index-dependent angle.
struct GroupStep {
  u32 flip = 0, sign = 0;        // `sign` is only the re/im bit here; the forms carry the rest
  std::vector<PhaseTerm> terms;  // form without the re/im bit
  bool moving = false;
  int fixed_table = -1;
};

// In-place elementary moves that involve lanes.
struct LaneMove {
  bool row_controlled = false;
  u32 row_mask = 0;   // row_controlled: parity form over rows; else: rows flipped
  u32 lane_mask = 0;  // row_controlled: lanes flipped; else: parity form over lanes
};

// l = G p xor g: contents move from p to l. G = M * (moves); M never mixes lanes into rows, so that a row of the
// result is one row of the source with its lanes permuted.
struct LinearStep {
  std::vector<LaneMove> moves;
  BitMatrix matrix, inverse;  // M and its inverse over the m tile bits
  std::vector<u64> shift;     // g: one parity form over the base per tile bit
  std::vector<u32> forward_rows, backward_rows;  // destination row -> source row << 5 | lane xor
  std::vector<int> forward_lanes, backward_lanes;  // linear part inside the lanes
  bool plain_lanes = false;  // every lane permutation is the identity (shifts aside)
};

struct DenseStep {
  std::vector<int> bits;  // tile bits, most significant local bit first
  int op = -1;            // index into NormalForm::ops
};

struct Step {
  enum Kind { kRotate1, kRotate2, kLanes, kPhase, kGroup, kLinear, kDense } kind;
  // kRotate1: a; kRotate2: a, b (indices of rotations); kLanes: `lanes`; others: a (index in the pass's list).
  int a = -1, b = -1;
  int lanes[4] = {-1, -1, -1, -1};
  bool crossed = false;  // kRotate2: the two sign masks are equal instead of disjoint from the other's flips
};

// The subset of addresses one tile covers: base xor span(generators).
struct TileShape {
  std::vector<u64> generators;
  int bits = 0;              // number of generators
  int run_bits = 0;          // the lowest run_bits tile bits are the lowest address bits: contiguous runs
  std::vector<u64> runs;     // address of each run relative to the base
  u64 pivots = 0;            // bits that are 0 in every base
  std::vector<int> outer;    // the other address bits
  // Runs stay within the bits of `run_mask`, so that all of a run is either reached or not.
  void finish(int address_bits, u64 run_mask);
  bool wide = false;         // some generator has more than one bit
  u64 base(u64 tile, u64 within) const;  // base of the tile-th tile whose base lies in the mask `within`
  u64 count(u64 within) const;
  u32 form(u64 z) const;  // the form z restricted to the tile
};

struct Pass {
  TileShape shape;
  u64 reach_before = 0, reach_after = 0;  // address bits that can be non-zero in the state's support
  std::vector<Step> steps;
  std::vector<Rotation> rotations;
  std::vector<PhaseStep> phases;
  std::vector<GroupStep> groups;
  std::vector<LinearStep> linears;
  std::vector<DenseStep> denses;
  int num_fixed_tables = 0;
};

struct Plan {
  NormalForm form;
  int lanes = 0;         // log2 of the vector width
  int address_bits = 0;  // max(num_qubits, lanes)
  int max_tile_bits = 0;
  bool single_tile = false;  // the whole state is one tile, here and for observables
  std::vector<Pass> passes;
};

struct PlanOptions {
  int lanes = 2;
  int tile_bits = 12;
  int run_bits = 3;
  // Address bits over which the state that the plan starts from is spread; none for |0...0>.
  u64 reach = 0;
};

void make_plan(NormalForm form, const PlanOptions& options, Plan* plan);

// Splits l = G p xor g into lane moves and a block-triangular remainder (linear.cc).
LinearStep make_linear_step(const BitMatrix& g, const std::vector<u64>& shift, int lanes);

}  // namespace qcgrad
