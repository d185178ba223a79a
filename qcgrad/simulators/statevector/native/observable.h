// Pauli sums grouped by the bits they flip, and their application to a tile.
#pragma once
#include <string>
#include <vector>

#include "op_table.h"
#include "tile_runner.h"

namespace qcgrad {

// A distinct string: coefficient[k] in observable k is weights[k * num_strings + index].
struct ObservableString {
  PhaseTerm term;  // form and outer; sigma is the real sign of (-i)^|x&z| without the i
  bool imaginary = false;
};

struct ObservableGroup {
  u32 flip = 0;
  bool moving = false;  // some form depends on the tile's address
  int num_even = 0, num_odd = 0;
  std::vector<ObservableString> strings;  // term.term is the index of the string
};

struct ObservablePass {
  TileShape shape;
  std::vector<ObservableGroup> groups;
};

struct ObservablePlan {
  i64 num_observables = 0;
  std::size_t num_strings = 0;
  std::vector<double> weights;  // num_observables x num_strings
  std::vector<ObservablePass> passes;
  int max_tile_bits = 0;
};

// `final_map` is the permutation that was taken off the circuit: the observables act after it.
std::string make_observable_plan(const PauliSums& sums, const PlanOptions& options, int num_qubits,
                                 const AffineMap& final_map, ObservablePlan* plan);

// Adds sum_s weights[s] string_s psi to lambda on a tile.
template <class R>
void apply_observable(const Kernels<R>& k, const ObservablePass& pass, const double* weights, u64 base, const R* psi,
                      R* lambda, TileRunner<R>* scratch);

// Adds <psi| string_s |psi>, restricted to the tile, to values[s] for every string of the pass.
template <class R>
void expect_strings(const Kernels<R>& k, const ObservablePass& pass, u64 base, const R* psi, TileRunner<R>* scratch,
                    double* values);

}  // namespace qcgrad
