// Entry points: expectation values, gradients and states of one circuit at a batch of parameter sets.
#pragma once
#include <memory>
#include <string>

#include "observable.h"
#include "op_table.h"
#include "plan.h"

namespace qcgrad {

enum class Status { kOk, kInvalid, kOutOfMemory, kCancelled };

// Everything that depends on the circuit and observables but not on the angles. Immutable once made, so several
// threads may use it at a time.
template <class R>
struct Engine {
  const Kernels<R>* kernels = nullptr;
  Plan plan;
  ObservablePlan observables;
  bool in_one_tile() const { return plan.single_tile; }
};

// isa < 0: the best this processor has. Without observables only state() works, with them only the others: they
// leave out permutations at the end of the circuit.
template <class R>
std::shared_ptr<const Engine<R>> make_engine(const OpTable& circuit, const PauliSums* observables, int isa,
                                             std::string* error);

// The same, remembered: a circuit seen before is not planned again.
template <class R>
std::shared_ptr<const Engine<R>> cached_engine(const OpTable& circuit, const PauliSums* observables, int isa,
                                               std::string* error);

// angles: batch x A; values: batch x K.
template <class R>
Status value(const Engine<R>& engine, i64 batch, const double* angles, double* values);

// cotangents: (batch or 1) x rows x K; values: batch x K; gradients: batch x rows x A.
template <class R>
Status value_and_vjp(const Engine<R>& engine, i64 batch, const double* angles, i64 cotangent_batch, i64 rows,
                     const double* cotangents, double* values, double* gradients);

// out: batch x 2^n complex numbers, interleaved.
template <class R>
Status state(const Engine<R>& engine, i64 batch, const double* angles, R* out);

// Bytes needed by value_and_vjp for one parameter set, and by value or state.
template <class R>
std::size_t memory_estimate(int num_qubits, bool gradient);

}  // namespace qcgrad
