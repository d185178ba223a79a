// Rewrites an operation table into the four kinds of step the engine executes.
#pragma once
#include <complex>
#include <string>
#include <vector>

#include "bits.h"
#include "op_table.h"

namespace qcgrad {

// One exponential exp(-i t P / 2) with P = i^{|x&z|} X^x Z^z; t = scale * angles[slot] + offset.
struct PauliTerm {
  u64 x = 0, z = 0;
  std::int32_t slot = -1;
  double scale = 0, offset = 0;
};

struct NormalOp {
  enum Kind {
    kLinear,  // j -> j xor x when all bits of `control` (none or one) are 1: X, CNOT and their products
    kRotate,  // product of commuting exponentials that flip the same bits x != 0
    kPhase,   // one exponential with x == 0
    kDense    // fixed unitary on two or more wires
  } kind = kLinear;
  u64 x = 0, control = 0;
  int first_term = 0, num_terms = 0;  // kRotate, kPhase
  std::vector<int> wires;             // kDense, most significant local bit first
  std::vector<std::complex<double>> matrix;
  // Bits on which the operation is diagonal, a function of X, or neither: two operations commute
  // (sufficient condition) if no bit has different kinds in the two.
  u64 z_bits = 0, x_bits = 0, mixed_bits = 0;
};

// Operations left for later: another may overtake them if it commutes with all of them.
struct Skipped {
  u64 z = 0, x = 0, mixed = 0;
  bool blocks(const NormalOp& op) const {
    return (op.z_bits & (x | mixed)) || (op.x_bits & (z | mixed)) || (op.mixed_bits & (x | z | mixed));
  }
  void add(const NormalOp& op) {
    z |= op.z_bits;
    x |= op.x_bits;
    mixed |= op.mixed_bits;
  }
};

struct NormalForm {
  int num_qubits = 0;
  i64 num_angles = 0;
  std::vector<NormalOp> ops;
  std::vector<PauliTerm> terms;
  // exp(i (sum of constants + sum of scale * angle)): the global phase, needed only by the state itself.
  double global_phase = 0;
  std::vector<std::pair<std::int32_t, double>> global_phase_terms;
};

// A trailing index permutation j -> matrix j xor shift, over amplitude-index bits.
struct AffineMap {
  std::vector<u64> column;  // images of the unit vectors
  u64 shift = 0;
};

// Takes permutations off the end of the circuit (past operations that commute with them) and returns their product:
// an expectation value <U' O U> can use the transformed observable instead of moving the state.
AffineMap strip_final_permutation(NormalForm* form);

// Returns an empty string, or what is wrong with the table.
std::string normalise(const OpTable& table, NormalForm* out);

}  // namespace qcgrad
