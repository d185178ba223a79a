// Where two qubits are in a vector of 4^n coefficients or 2^n amplitudes, and the algebra of Pauli strings in base 4.
//
// A string is a number with one digit a qubit, the first qubit's on top: I 0, X 1, Z 2, Y 3. The product of two strings is
// their exclusive or, up to a power of i. Included by kernels.h; everything here is static, see kernels_impl.h.
#pragma once
#include "bits.h"

namespace qcgrad {

constexpr int kSuperopLanes = 64;

struct SuperopGeometry {
  int bits;        // of an index that belong to a qubit: 2 of coefficients, 1 of amplitudes
  int low, high;   // the lowest ones of the two qubits
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
  return insert_zeros(insert_zeros(tile * static_cast<u64>(g.lanes), g.low, g.bits), g.high, g.bits);
}

// Of two qubits, counted from the least significant one; rows of amplitudes are four real and four imaginary parts, which
// begin at `imaginary`.
template <class R>
static inline SuperopGeometry superop_geometry(int num_qubits, int first, int second, int bits, u64 imaginary = 0) {
  SuperopGeometry g = {};
  g.bits = bits, g.low = bits * (first < second ? first : second), g.high = bits * (first < second ? second : first);
  const u64 rest = u64{1} << (bits * (num_qubits - 2)), values = u64{1} << bits;
  g.lanes = static_cast<int>(rest < kSuperopLanes ? rest : kSuperopLanes);
  g.tiles = rest / static_cast<u64>(g.lanes);
  g.run = g.low < 6 && (1 << g.low) < g.lanes ? 1 << g.low : g.lanes;
  for (u64 row = 0; row < values * values; ++row) {
    g.row[row] = padded<R>((row / values) << (bits * first) | (row % values) << (bits * second));
    if (bits == 1) g.row[row + 4] = g.row[row] + imaginary;
  }
  for (int l = 0; l < g.lanes; ++l)
    g.lane[l] = padded<R>(insert_zeros(insert_zeros(static_cast<u64>(l), g.low, bits), g.high, bits));
  return g;
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
