// One block at given angles, and what it does to a vector.
#pragma once
#include "kernels.h"
#include "noisy_circuit.h"

namespace qcgrad {

template <class R>
class NoisyBlock {
 public:
  NoisyBlock(const NoisyCircuit& circuit, i64 index, const double* angles);

  // On `threads` threads. Transposed: what it does to covectors.
  void apply(const Kernels<R>& kernels, R* r, bool transposed, int threads) const;
  // Adds what `value` needs: lambda behind the block, r before it.
  void transition(const Kernels<R>& kernels, const R* lambda, const R* r, int threads, double* sums) const;
  // lambda.(block r) from these sums, which another block on the same digits may have filled.
  double value(const double* sums) const;

  static constexpr int kSums = 256;

 private:
  void rotate(u64 string, double t);
  void multiply(const double* matrix);

  int num_qubits_;
  u64 string_ = 0;  // of a rotation by one string
  double cosine_ = 1, sine_ = 0;
  double matrix_[256];  // by rows
  SuperopGeometry geometry_;
};

}  // namespace qcgrad
