#include "bits.h"

#include <utility>

namespace qcgrad {

BitMatrix BitMatrix::inverse() const {
  const int m = size();
  BitMatrix work = *this, inv = identity(m);
  // Column elimination: applying the same column operations to the identity gives the inverse.
  for (int row = 0; row < m; ++row) {
    int pivot = row;
    while (pivot < m && !((work.col[pivot] >> row) & 1)) ++pivot;
    if (pivot == m) return identity(m);  // singular: cannot happen for products of CNOTs
    std::swap(work.col[row], work.col[pivot]);
    std::swap(inv.col[row], inv.col[pivot]);
    for (int k = 0; k < m; ++k)
      if (k != row && ((work.col[k] >> row) & 1)) {
        work.col[k] ^= work.col[row];
        inv.col[k] ^= inv.col[row];
      }
  }
  return inv;
}

bool coordinates(const std::vector<u64>& gens, u64 v, u32* coords) {
  // Echelon form on the fly; `how` remembers which generators make up each reduced row.
  std::vector<u64> reduced;
  std::vector<u32> how;
  for (std::size_t k = 0; k < gens.size(); ++k) {
    u64 g = gens[k];
    u32 h = u32{1} << k;
    for (std::size_t i = 0; i < reduced.size(); ++i)
      if ((g >> highest_bit(reduced[i])) & 1) g ^= reduced[i], h ^= how[i];
    if (!g) continue;
    // Keep the list fully reduced, so that one sweep in any order is enough below.
    for (std::size_t i = 0; i < reduced.size(); ++i)
      if ((reduced[i] >> highest_bit(g)) & 1) reduced[i] ^= g, how[i] ^= h;
    reduced.push_back(g);
    how.push_back(h);
  }
  u32 r = 0;
  for (std::size_t i = 0; i < reduced.size(); ++i)
    if ((v >> highest_bit(reduced[i])) & 1) v ^= reduced[i], r ^= how[i];
  if (coords) *coords = r;
  return v == 0;
}

}  // namespace qcgrad
