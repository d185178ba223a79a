#include "plan.h"

namespace qcgrad {

void TileShape::finish(int address_bits, u64 run_mask) {
  bits = static_cast<int>(generators.size());
  run_bits = 0;
  while (run_bits < bits && run_bits < kPaddedRunBits && generators[run_bits] == (u64{1} << run_bits) && ((run_mask >> run_bits) & 1)) ++run_bits;
  // A pivot per generator, such that the generators restricted to the pivots are independent.
  pivots = 0;
  wide = false;
  for (u64 g : generators) wide |= popcount(g) != 1;
  std::vector<u64> reduced;
  for (u64 g : generators) {
    for (u64 r : reduced)
      if ((g >> highest_bit(r)) & 1) g ^= r;
    for (u64& r : reduced)
      if ((r >> highest_bit(g)) & 1) r ^= g;
    reduced.push_back(g);
  }
  for (u64 r : reduced) pivots |= u64{1} << highest_bit(r);
  outer.clear();
  for (int k = 0; k < address_bits; ++k)
    if (!((pivots >> k) & 1)) outer.push_back(k);
  runs.assign(std::size_t{1} << (bits - run_bits), 0);
  for (std::size_t r = 1; r < runs.size(); ++r)
    runs[r] = runs[r & (r - 1)] ^ generators[run_bits + __builtin_ctzll(r)];
}

u64 TileShape::count(u64 within) const {
  int k = 0;
  for (int bit : outer) k += (within >> bit) & 1;
  return u64{1} << k;
}

u64 TileShape::base(u64 tile, u64 within) const {
  u64 address = 0;
  for (int bit : outer)
    if ((within >> bit) & 1) {
      address |= (tile & 1) << bit;
      tile >>= 1;
    }
  return address;
}

u32 TileShape::form(u64 z) const {
  u32 r = 0;
  for (int k = 0; k < bits; ++k) r |= static_cast<u32>(parity(z & generators[k])) << k;
  return r;
}

}  // namespace qcgrad
