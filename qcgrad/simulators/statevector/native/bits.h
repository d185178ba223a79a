// Bit-mask arithmetic over GF(2) shared by the planner and the sweeps.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace qcgrad {

using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i64 = std::int64_t;
using i32 = std::int32_t;

// Parity forms are evaluated on "base | kConstBit", so a form that contains this bit carries a constant sign.
// Amplitude indices never reach bit 62, so the bit is free.
constexpr u64 kConstBit = u64{1} << 62;

// Internal linkage: kernel files compiled for different processors must not share a copy.
static inline int parity(u64 v) { return __builtin_parityll(v); }
static inline int parity32(u32 v) { return __builtin_parity(v); }
static inline int popcount(u64 v) { return __builtin_popcountll(v); }
static inline int lowest_bit(u64 v) { return __builtin_ctzll(v); }
static inline int highest_bit(u64 v) { return 63 - __builtin_clzll(v); }

// Where amplitude j is kept in an array of R: a cache line is left out after every 4096 bytes. Tiles gather rows that
// are a power of two apart, which would otherwise all compete for a few sets of every cache.
constexpr int kPaddedRunBits = 9;  // this many low bits of an index stay contiguous for every R
template <class R>
static inline u64 padded(u64 j) {
  return j + (j >> (sizeof(R) == 8 ? 9 : 10)) * (64 / sizeof(R));
}

// A square matrix over GF(2), at most 32 x 32, stored by columns: column k is the image of unit vector k.
struct BitMatrix {
  std::vector<u32> col;
  static BitMatrix identity(int m) {
    BitMatrix r;
    for (int k = 0; k < m; ++k) r.col.push_back(u32{1} << k);
    return r;
  }
  int size() const { return static_cast<int>(col.size()); }
  bool is_identity() const {
    for (int k = 0; k < size(); ++k)
      if (col[k] != (u32{1} << k)) return false;
    return true;
  }
  u32 apply(u32 v) const {
    u32 r = 0;
    for (; v; v &= v - 1) r ^= col[__builtin_ctz(v)];
    return r;
  }
  // Row vector times matrix: the form v.(M p) expressed as a form in p.
  u32 pull_back(u32 form) const {
    u32 r = 0;
    for (int k = 0; k < size(); ++k) r |= static_cast<u32>(parity32(form & col[k])) << k;
    return r;
  }
  BitMatrix times(const BitMatrix& right) const {
    BitMatrix r;
    for (u32 c : right.col) r.col.push_back(apply(c));
    return r;
  }
  BitMatrix inverse() const;
};

// Coordinates of v in the basis `gens` (independent); false if v is outside the span.
bool coordinates(const std::vector<u64>& gens, u64 v, u32* coords);

}  // namespace qcgrad
