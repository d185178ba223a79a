// Quantum trajectories: states that jump, with the jumps drawn from the state as it is.
#pragma once
#include <complex>
#include <string>

#include "engine.h"

namespace qcgrad {

constexpr std::int64_t kJumpsMagic = 0x31504d554a4751;  // "QGJUMP1"

// What happens inside a block: a turn exp(-i t P/2) as in noisy_circuit.h, or `count` Kraus operators from `first` on, one of
// which a uniform number chooses. Fixed ones have probabilities that no state changes: multiples of unitaries.
struct JumpCircuit {
  i64 num_qubits = 0, out_qubits = 0;  // those after the first out_qubits stay in |0> and are left out
  i64 num_blocks = 0, num_ops = 0, num_angles = 0, num_operators = 0, num_uniforms = 0;
  const i64* digits = nullptr;  // two a block, from the least significant one; negative: one turn by a string of any width
  const i64* offsets = nullptr;  // num_blocks + 1, into the ops
  const i64 *x = nullptr, *z = nullptr, *slot = nullptr, *first = nullptr, *count = nullptr, *uniform = nullptr;
  const i64* fixed = nullptr;
  const double *scale = nullptr, *offset = nullptr;
  const double* operators = nullptr;  // 4 x 4 complex, by rows, interleaved
};

// int64 header: kJumpsMagic, then the seven numbers in the order above; then the arrays, of eight bytes an element, in that
// order. Points into `data`. Returns an empty string or what is wrong.
std::string parse_jumps(const void* data, std::size_t size, JumpCircuit* circuit);

// Final states (N, 2^out_qubits) of N trajectories with angles and uniform numbers of their own, so many in a row each.
template <class R>
Status trajectories(const JumpCircuit& circuit, i64 count, const double* angles, i64 angles_in_row, const double* uniforms,
                    i64 uniforms_in_row, std::complex<R>* out);

}  // namespace qcgrad
