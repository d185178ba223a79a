// C entry points of noisy simulations. All return 0, or 1 invalid, 2 out of memory, 3 cancelled.
#include "interrupt.h"
#include "noisy_circuit.h"

using namespace qcgrad;

extern "C" {

struct qcgrad_noisy_circuit {
  std::int64_t num_qubits, num_blocks, num_angles;
  const std::int32_t* digits;
  const std::int64_t *offsets, *string;
  const std::int32_t *slot, *matrix;
  const double *scale, *offset, *matrices;
};

}  // extern "C"

namespace {

NoisyCircuit circuit_of(const qcgrad_noisy_circuit& c) {
  NoisyCircuit r;
  r.num_qubits = static_cast<int>(c.num_qubits), r.num_blocks = c.num_blocks, r.num_angles = c.num_angles;
  r.digits = c.digits, r.offsets = c.offsets, r.matrices = c.matrices;
  r.ops = {c.string, c.slot, c.matrix, c.scale, c.offset};
  return r;
}

}  // namespace

extern "C" {

int qcgrad_noisy_read(const qcgrad_noisy_circuit* c, int single, std::int64_t batch, const double* angles,
                      std::int64_t count, const std::int64_t* strings, void* out) {
  const InterruptGuard guard(true);
  const NoisyCircuit circuit = circuit_of(*c);
  return static_cast<int>(single ? noisy_read(circuit, batch, angles, count, strings, static_cast<float*>(out))
                                 : noisy_read(circuit, batch, angles, count, strings, static_cast<double*>(out)));
}

int qcgrad_noisy_shifts(const qcgrad_noisy_circuit* c, int single, const double* angles, std::int64_t shifts,
                        const std::int32_t* owner, const double* moved, std::int64_t rows, std::int64_t count,
                        const std::int64_t* strings, const double* coefficients, std::int64_t segment, double* out) {
  const InterruptGuard guard(true);
  auto* const run = single ? noisy_shifts<float> : noisy_shifts<double>;
  return static_cast<int>(run(circuit_of(*c), angles, {shifts, owner, moved}, {rows, count, strings, coefficients},
                              segment, out));
}

}  // extern "C"
