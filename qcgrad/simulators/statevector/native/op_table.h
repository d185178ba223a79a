// What a caller hands over: a circuit as a flat table of operations, and a list of Pauli sums.
// Qubit q of n is bit n-1-q of the amplitude index; every mask below is in terms of those bits.
#pragma once
#include <cstdint>

namespace qcgrad {

enum OpKind : std::int32_t { kOpPauli = 0, kOpMatrix = 1, kOpPadding = 2 };

struct OpTable {
  int num_qubits = 0;
  std::int64_t num_ops = 0;
  std::int64_t num_angles = 0;
  const std::int32_t* kind = nullptr;
  // PAULI: exp(-i t (P - kappa)/2) where all ctrl bits are 1, with P = i^{|x&z|} X^x Z^z and
  // t = scale * angles[slot] + offset (slot -1: t = offset).
  const std::int64_t* x = nullptr;
  const std::int64_t* z = nullptr;
  const std::int64_t* ctrl = nullptr;
  const std::int32_t* kappa = nullptr;
  const std::int32_t* slot = nullptr;
  const double* scale = nullptr;
  const double* offset = nullptr;
  // MATRIX: bit positions (first wire = most significant local bit), padded with -1, and the start of the
  // row-major 2^k x 2^k complex matrix in `matrices` (interleaved re, im; offsets count complex numbers).
  std::int32_t max_wires = 0;
  const std::int32_t* wires = nullptr;
  const std::int64_t* matrix_offset = nullptr;
  const double* matrices = nullptr;
  std::int64_t matrices_size = 0;  // complex numbers
};

struct PauliSums {
  std::int64_t num_observables = 0;
  std::int64_t num_terms = 0;
  const std::int64_t* x = nullptr;
  const std::int64_t* z = nullptr;
  const double* coefficient = nullptr;
  const std::int64_t* offsets = nullptr;  // num_observables + 1
};

// Product bases, each measured on fresh copies of the state. x and z hold the letter measured on each bit as in a Pauli
// string, Z where both are 0. Outcome j of basis g contributes sum_t coefficient[t] (-1)^{|j & support[t]|} to
// observable k, t from offsets[g * num_observables + k] to the next offset.
struct Bases {
  std::int64_t num_bases = 0;
  std::int64_t num_observables = 0;
  std::int64_t num_terms = 0;
  const std::int64_t* x = nullptr;
  const std::int64_t* z = nullptr;
  const std::int64_t* support = nullptr;
  const double* coefficient = nullptr;
  const std::int64_t* offsets = nullptr;  // num_bases * num_observables + 1
};

}  // namespace qcgrad
