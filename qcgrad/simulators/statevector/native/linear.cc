// Index permutations made of CNOT, X and SWAP: splitting a GF(2)-linear map into what vectors can do cheaply.
#include "plan.h"

namespace qcgrad {
namespace {

// Table over destination rows: source row << 5 | lane xor, for source = matrix * destination.
std::vector<u32> row_table(const BitMatrix& matrix, int lanes) {
  const int rows = matrix.size() - lanes;
  const u32 lane_mask = (u32{1} << lanes) - 1;
  std::vector<u32> table(std::size_t{1} << rows);
  for (u32 r = 1; r < table.size(); ++r) {
    const u32 image = matrix.col[lanes + __builtin_ctz(r)];
    const u32 entry = ((image >> lanes) << 5) | (image & lane_mask);
    table[r] = table[r & (r - 1)] ^ entry;
  }
  return table;
}

std::vector<int> lane_map(const BitMatrix& matrix, int lanes) {
  std::vector<int> map(std::size_t{1} << lanes);
  for (u32 l = 0; l < map.size(); ++l) map[l] = static_cast<int>(matrix.apply(l));
  return map;
}

}  // namespace

LinearStep make_linear_step(const BitMatrix& g, const std::vector<u64>& shift, int lanes) {
  LinearStep step;
  step.shift = shift;
  BitMatrix work = g;
  const int m = g.size();
  const u32 lane_mask = (u32{1} << lanes) - 1;
  // `work` must reach a form in which lane columns have no row part; right-multiplying by an elementary move
  // takes that move out of it.
  auto add_move = [&](const LaneMove& move) {
    BitMatrix e = BitMatrix::identity(m);
    if (move.row_controlled) {
      for (int k = lanes; k < m; ++k)
        if ((move.row_mask >> (k - lanes)) & 1) e.col[k] ^= move.lane_mask;
    } else {
      for (int k = 0; k < lanes; ++k)
        if ((move.lane_mask >> k) & 1) e.col[k] ^= move.row_mask << lanes;
    }
    work = work.times(e);
    step.moves.push_back(move);
  };
  // 1. Make the row-row block invertible by adding lane columns to dependent row columns.
  for (;;) {
    std::vector<u64> basis;
    int dependent = -1;
    for (int k = lanes; k < m; ++k) {
      if (!coordinates(basis, work.col[k] >> lanes, nullptr))
        basis.push_back(work.col[k] >> lanes);
      else if (dependent < 0)
        dependent = k;
    }
    if (dependent < 0) break;
    for (int k = 0; k < lanes; ++k)
      if (!coordinates(basis, (work.col[dependent] ^ work.col[k]) >> lanes, nullptr)) {
        LaneMove move;
        move.row_controlled = true;
        move.row_mask = u32{1} << (dependent - lanes);
        move.lane_mask = u32{1} << k;
        add_move(move);
        break;
      }
  }
  // 2. Clear the row part of every lane column with the (now independent) row columns.
  std::vector<u64> row_columns;
  for (int k = lanes; k < m; ++k) row_columns.push_back(work.col[k] >> lanes);
  for (int k = 0; k < lanes; ++k) {
    u32 mu = 0;
    if (!(work.col[k] >> lanes)) continue;
    coordinates(row_columns, work.col[k] >> lanes, &mu);
    LaneMove move;
    move.row_mask = mu;
    move.lane_mask = u32{1} << k;
    add_move(move);
  }
  // work = G E_1 ... E_k and every E is its own inverse, so G = work E_k ... E_1: E_1 runs first.
  step.matrix = work;
  step.inverse = work.inverse();
  step.forward_rows = row_table(step.inverse, lanes);
  step.backward_rows = row_table(step.matrix, lanes);
  step.forward_lanes = lane_map(step.inverse, lanes);
  step.backward_lanes = lane_map(step.matrix, lanes);
  step.plain_lanes = true;
  for (u32 e : step.forward_rows)
    if (e & 31) step.plain_lanes = false;
  for (u32 l = 0; l <= lane_mask; ++l)
    if (step.forward_lanes[l] != static_cast<int>(l)) step.plain_lanes = false;
  return step;
}

}  // namespace qcgrad
