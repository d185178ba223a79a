// Where a block's digits are in a vector of 4^n numbers, and the algebra of Pauli strings written in base 4.
//
// A string is a number with one digit a qubit, the first qubit's on top: I 0, X 1, Z 2, Y 3. The product of two strings is
// their exclusive or, up to a power of i. Included by kernels.h; everything here is static, see kernels_impl.h.
#pragma once
#include "bits.h"

namespace qcgrad {

constexpr int kSuperopLanes = 64;

struct SuperopGeometry {
  int low, high;  // the block's digits, from the least significant one
  int lanes, run;  // columns of a tile, and how many of them stand next to each other
  u64 tiles;
  u64 row[16];
  u64 lane[kSuperopLanes];
};

static inline u64 insert_zeros(u64 value, int at, int count) {
  const u64 below = value & ((u64{1} << at) - 1);
  return (value >> at) << (at + count) | below;
}
static inline u64 insert_zero(u64 value, int at) { return insert_zeros(value, at, 1); }

// The first address of a tile.
static inline u64 superop_base(const SuperopGeometry& g, u64 tile) {
  return insert_zeros(insert_zeros(tile * static_cast<u64>(g.lanes), 2 * g.low, 2), 2 * g.high, 2);
}

// 0 if strings p and q commute; else s with i p q = s (p xor q).
static inline int string_sign(u64 p, u64 q) {
  constexpr u64 xs = 0x5555555555555555u;
  const u64 px = p & xs, pz = (p >> 1) & xs, qx = q & xs, qz = (q >> 1) & xs;
  if (!((__builtin_popcountll(px & qz) + __builtin_popcountll(pz & qx)) & 1)) return 0;
  const int power = __builtin_popcountll(px & pz) + __builtin_popcountll(qx & qz) + 2 * __builtin_popcountll(pz & qx) -
                    __builtin_popcountll((px ^ qx) & (pz ^ qz));
  return ((power + 1) & 3) == 0 ? 1 : -1;
}

}  // namespace qcgrad
