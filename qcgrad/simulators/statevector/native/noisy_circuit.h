// Noisy circuits as blocks: linear maps of two qubits, and rotations by strings on more, of a density matrix that is held
// as its 4^n real Pauli coefficients tr(P rho), in the order of superop.h.
#pragma once
#include <vector>

#include "engine.h"
#include "superop.h"

namespace qcgrad {

// What happens inside a block: a rotation exp(-i t P/2), t = scale * angle[slot] + offset (offset alone if slot is
// negative), or a fixed matrix of 256 numbers, by rows.
struct NoisyOps {
  const i64* string;  // P in base 4: of a block's two digits, or of all qubits in a block of one string
  const i32* slot;
  const i32* matrix;  // index, or negative for a rotation
  const double *scale, *offset;
};

struct NoisyCircuit {
  int num_qubits = 0;
  i64 num_blocks = 0, num_angles = 0;
  const i32* digits = nullptr;   // two a block, from the least significant one; negative: a rotation by one string
  const i64* offsets = nullptr;  // num_blocks + 1, into the ops
  NoisyOps ops = {};
  const double* matrices = nullptr;
};

// Coefficients of strings (D,) at settings (B, A), or of all strings in order where there are none: out (B, D).
template <class R>
Status noisy_read(const NoisyCircuit& circuit, i64 batch, const double* angles, i64 count, const i64* strings, R* out);

// Sums sum_d coefficients[k, d] tr(P_d rho) at a point and at settings in which one angle is moved: out (1 + S, K). An angle
// may drive one block at most. By one run forwards and one backwards for each k; of the states in between every
// `segment`-th is kept, and between two of these all.
struct NoisyShifts {
  i64 count;
  const i32* owner;  // negative: no angle is moved
  const double* moved;
};
struct NoisySums {
  i64 rows, count;
  const i64* strings;
  const double* coefficients;
};
template <class R>
Status noisy_shifts(const NoisyCircuit& circuit, const double* angles, const NoisyShifts& shifts, const NoisySums& sums,
                    i64 segment, double* out);

}  // namespace qcgrad
