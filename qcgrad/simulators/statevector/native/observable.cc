#include "observable.h"

#include <algorithm>
#include <cstring>
#include <map>

namespace qcgrad {
namespace {

// From this many strings with the same flips, signs come from one Walsh-Hadamard transform over the tile.
constexpr int kTableThreshold = 5;

TileShape shape_for(u64 units, u64 wide, int address_bits, int capacity) {
  TileShape shape;
  if (!wide)
    for (int k = 0; k < address_bits && popcount(units) < std::min(capacity, address_bits); ++k) units |= u64{1} << k;
  for (u64 u = units; u; u &= u - 1) shape.generators.push_back(u & (~u + 1));
  if (wide) shape.generators.push_back(wide);
  shape.finish(address_bits, ~u64{0});
  return shape;
}

}  // namespace

std::string make_observable_plan(const PauliSums& sums, const PlanOptions& options, int num_qubits,
                                 const AffineMap& final_map, ObservablePlan* plan) {
  *plan = ObservablePlan();
  plan->num_observables = sums.num_observables;
  const u64 all = (u64{1} << num_qubits) - 1;
  // Distinct strings, sorted by flips: std::map keeps the order independent of the caller's.
  // With L|j> = |M j xor s>, L^-1 X^x Z^z L = (-1)^{z.s} X^{M^-1 x} Z^{M^T z}; the factor i^|x&z| stays as it was.
  struct Source {
    int y = 0;
    bool negative = false;
    std::vector<std::pair<i64, double>> uses;
  };
  std::map<std::pair<u64, u64>, Source> strings;
  for (i64 k = 0; k < sums.num_observables; ++k)
    for (i64 t = sums.offsets[k]; t < sums.offsets[k + 1]; ++t) {
      const u64 x = sums.x[t], z = sums.z[t];
      if ((x | z) & ~all) return "observable mask out of range";
      u32 flips = 0;
      coordinates(final_map.column, x, &flips);
      u64 signs = 0;
      for (int b = 0; b < num_qubits; ++b) signs |= static_cast<u64>(parity(z & final_map.column[b])) << b;
      Source& source = strings[{flips, signs}];
      source.y = popcount(x & z) & 3;
      source.negative = parity(z & final_map.shift);
      source.uses.push_back({k, sums.coefficient[t]});
    }
  plan->num_strings = strings.size();
  plan->weights.assign(static_cast<std::size_t>(sums.num_observables) * plan->num_strings, 0.0);
  struct Entry {
    u64 x, z;
    int index, y;
    bool negative;
  };
  std::vector<Entry> todo, later;
  for (const auto& s : strings) {
    const int index = static_cast<int>(todo.size());
    todo.push_back({s.first.first, s.first.second, index, s.second.y, s.second.negative});
    for (const auto& w : s.second.uses) plan->weights[static_cast<std::size_t>(w.first) * plan->num_strings + index] += w.second;
  }
  const int address_bits = std::max(num_qubits, options.lanes);
  const int capacity = std::max(options.tile_bits, options.lanes + 2);
  const int run = std::min({std::max(options.run_bits, options.lanes), address_bits, capacity - 1});
  while (!todo.empty()) {
    u64 units = (u64{1} << run) - 1, wide = 0;
    if (address_bits <= capacity) units = (u64{1} << address_bits) - 1;
    later.clear();
    std::vector<Entry> taken;
    for (const Entry& e : todo) {
      const u64 missing = e.x & ~units;
      if (missing && missing != wide) {
        if (!wide && popcount(units | missing) <= capacity) {
          units |= missing;
        } else if (taken.empty()) {
          wide = missing;
        } else {
          later.push_back(e);
          continue;
        }
      }
      taken.push_back(e);
    }
    plan->passes.emplace_back();
    ObservablePass& pass = plan->passes.back();
    pass.shape = shape_for(units, wide, address_bits, capacity);
    plan->max_tile_bits = std::max(plan->max_tile_bits, pass.shape.bits);
    u64 base_mask = 0;
    for (int bit : pass.shape.outer) base_mask |= u64{1} << bit;
    u64 last_x = ~u64{0};
    for (const Entry& e : taken) {
      if (e.x != last_x) {
        pass.groups.emplace_back();
        coordinates(pass.shape.generators, e.x, &pass.groups.back().flip);
        last_x = e.x;
      }
      ObservableGroup& group = pass.groups.back();
      ObservableString s;
      s.term.form = pass.shape.form(e.z);
      s.term.outer = e.z & base_mask;
      // i^y X^x Z^z psi(j) = i^y (-1)^{z.(j xor x)} psi(j xor x).
      const int y = (e.y + 2 * parity(e.x & e.z) + (e.negative ? 2 : 0)) & 3;
      s.term.sigma = y == 0 || y == 3 ? 1 : -1;
      s.term.term = e.index;
      s.imaginary = y & 1;  // the factor is then sigma times -i
      if (s.term.outer) group.moving = true;
      ++(s.imaginary ? group.num_odd : group.num_even);
      group.strings.push_back(s);
    }
    todo.swap(later);
  }
  return "";
}

template <class R>
void apply_observable(const Kernels<R>& k, const ObservablePass& pass, const double* weights, u64 base, const R* psi,
                      R* lambda, TileRunner<R>* scratch) {
  const int m = pass.shape.bits;
  const std::size_t size = std::size_t{1} << m;
  std::vector<PauliArgs> singles;
  for (const ObservableGroup& group : pass.groups) {
    if (static_cast<int>(group.strings.size()) < kTableThreshold) {
      for (const ObservableString& s : group.strings) {
        const double w = weights[s.term.term];
        if (w == 0) continue;
        singles.push_back({group.flip, s.term.form, tile_parity(s.term.outer, base), w * s.term.sigma, s.imaginary});
      }
      continue;
    }
    const R* tables[2] = {nullptr, nullptr};
    for (int odd = 0; odd < 2; ++odd) {
      if ((odd ? group.num_odd : group.num_even) == 0) continue;
      double* const v = scratch->scratch();
      std::memset(v, 0, size * sizeof(double));
      for (const ObservableString& s : group.strings)
        if (s.imaginary == (odd != 0)) {
          const double w = weights[s.term.term] * s.term.sigma;
          v[s.term.form] += tile_parity(s.term.outer, base) ? -w : w;
        }
      k.walsh(v, m);
      R* const to = odd ? scratch->second_table() : scratch->table();
      for (std::size_t j = 0; j < size; ++j) to[j] = static_cast<R>(v[j]);
      tables[odd] = to;
    }
    k.table_apply(psi, lambda, m, group.flip, tables[0], tables[1]);
  }
  k.pauli_apply(psi, lambda, m, singles.data(), static_cast<int>(singles.size()));
}

template <class R>
void expect_strings(const Kernels<R>& k, const ObservablePass& pass, u64 base, const R* psi, TileRunner<R>* scratch,
                    double* values) {
  const int m = pass.shape.bits;
  const std::size_t size = std::size_t{1} << m;
  for (const ObservableGroup& group : pass.groups) {
    if (static_cast<int>(group.strings.size()) < kTableThreshold) {
      for (const ObservableString& s : group.strings)
        values[s.term.term] += k.pauli_expect(
            psi, m, {group.flip, s.term.form, tile_parity(s.term.outer, base), s.term.sigma, s.imaginary});
      continue;
    }
    double* const re = scratch->scratch();
    double* const im = re + size;
    k.products(psi, m, group.flip, group.num_even ? re : nullptr, group.num_odd ? im : nullptr);
    if (group.num_even) k.walsh(re, m);
    if (group.num_odd) k.walsh(im, m);
    // Re(conj(psi) (-i) psi') = Im(conj(psi) psi').
    for (const ObservableString& s : group.strings) {
      const double v = s.term.sigma * (s.imaginary ? im : re)[s.term.form];
      values[s.term.term] += tile_parity(s.term.outer, base) ? -v : v;
    }
  }
}

#define QCGRAD_INSTANTIATE(R)                                                                                    \
  template void apply_observable<R>(const Kernels<R>&, const ObservablePass&, const double*, u64, const R*, R*, \
                                    TileRunner<R>*);                                                             \
  template void expect_strings<R>(const Kernels<R>&, const ObservablePass&, u64, const R*, TileRunner<R>*, double*);
QCGRAD_INSTANTIATE(float)
QCGRAD_INSTANTIATE(double)
#undef QCGRAD_INSTANTIATE

}  // namespace qcgrad
