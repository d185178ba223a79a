// The product bases that a circuit is measured in, planned: how the state is rotated into each, and what the outcomes
// say about the observables.
#pragma once
#include <string>
#include <vector>

#include "op_table.h"
#include "tile_runner.h"

namespace qcgrad {

struct BasisPlan {
  Plan rotation;  // without operations where every qubit is measured in Z
  Angles angles;
  bool computational() const { return rotation.form.ops.empty(); }
};

// Strings of basis g for observable k: from offsets[g * num_observables + k] to the next offset.
struct SamplingPlan {
  i64 num_observables = 0;
  std::vector<BasisPlan> bases;
  std::vector<u64> support;
  std::vector<double> coefficient;
  std::vector<i64> offsets;
  int max_tile_bits = 0;
  std::vector<std::size_t> order;  // of bases: first those that leave the state as it is
  int rotations = 0;               // bases that do not
  // Where that is little to hold: by basis and observable, the value of each outcome; and, by basis, classes of outcomes
  // that have the same values for all observables. To know the class is enough.
  struct Classes {
    std::vector<std::uint16_t> of;  // by outcome; empty where there are nearly as many classes
    std::vector<double> values;     // observables x count
    std::size_t count = 0;          // a power of two
  };
  std::vector<double> tables;
  int table_bits = 0;
  std::vector<Classes> classes;
  const double* table(std::size_t sum) const { return tables.empty() ? nullptr : tables.data() + (sum << table_bits); }
  const Classes* classes_of(std::size_t g) const {
    return classes.empty() || classes[g].of.empty() ? nullptr : &classes[g];
  }
};

// Returns an empty string, or what is wrong with the bases.
// `walsh` is the kernels'.
std::string make_sampling_plan(const Bases& bases, PlanOptions options, int num_qubits, void (*walsh)(double*, int),
                               SamplingPlan* plan);

}  // namespace qcgrad
