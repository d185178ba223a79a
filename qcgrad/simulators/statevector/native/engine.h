// Entry points: expectation values, gradients and states of one circuit at a batch of parameter sets.
#pragma once
#include <algorithm>
#include <memory>
#include <string>

#include "fork_plan.h"
#include "observable.h"
#include "op_table.h"
#include "plan.h"
#include "sampling_plan.h"

namespace qcgrad {

enum class Status { kOk, kInvalid, kOutOfMemory, kCancelled };

// Everything that depends on the circuit and observables but not on the angles. Immutable once made, so several
// threads may use it at a time.
template <class R>
struct Engine {
  const Kernels<R>* kernels = nullptr;
  Plan plan;
  ObservablePlan observables;
  SamplingPlan sampling;
  ForkPlan fork;  // where there are bases
  bool in_one_tile() const { return plan.single_tile; }
  int max_tile_bits() const {
    return std::max({plan.max_tile_bits, observables.max_tile_bits, sampling.max_tile_bits});
  }
};

// What is asked of the final state, if it is not the state itself. With observables, only value() and value_and_vjp()
// work: they leave out permutations at the end of the circuit. sample() needs bases.
struct Measured {
  const PauliSums* observables = nullptr;
  const Bases* bases = nullptr;
  bool from_anywhere = false;  // the circuit does not start from |0...0>
  bool shifts = false;         // for sample_shifted
};

template <class R>
std::shared_ptr<const Engine<R>> make_engine(const OpTable& circuit, const Measured& measured, int isa,
                                             std::string* error);

// The same, remembered: a circuit seen before is not planned again. isa < 0: instruction_set().
template <class R>
std::shared_ptr<const Engine<R>> cached_engine(const OpTable& circuit, const Measured& measured, int isa,
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

// Un-computes from the state `end` (2^n complex numbers, interleaved), for each angle of exponentials with scale 1 the sum
// of expectation values of their strings where they stand: batch x A. The engine must be made for circuits
// `from_anywhere`.
template <class R>
Status expectations_along(const Engine<R>& engine, i64 batch, const double* angles, const R* end,
                          double* expectations);

// What is drawn, by setting and basis.
struct Draws {
  const std::int32_t* shots;  // settings x G
  const u32* streams;         // settings x 3: the words of the key, and the number of the setting in its stream
};

// means and variances (of the means): batch x K. An entry without shots in any basis is not run and gives NaN, and so
// does one with shots in some bases only.
template <class R>
Status sample(const Engine<R>& engine, i64 batch, const double* angles, const Draws& draws, double* means,
              double* variances);

// Settings that differ from a point in one angle.
struct Shifts {
  i64 count;
  const std::int32_t* owner;  // which angle, of every point; -1: none
  const double* moved;        // points x count: what it is instead
};

// Up to so many qubits threads work on shifts of their own, each with whole states in its own cache; beyond, all of them on
// one.
constexpr int kLaneQubits = 16;

// angles: points x A. Settings, of each point: itself, then the shifts; results and draws in that order.
template <class R>
Status sample_shifted(const Engine<R>& engine, i64 points, const double* angles, const Shifts& shifts,
                      const Draws& draws, double* means, double* variances);

// States of memory that sample_shifted takes, tables included, beside one for each basis.
int shift_states(int num_qubits);

// Bytes needed for one parameter set by value_and_vjp and sample, which hold two states, and by value or state.
template <class R>
std::size_t memory_estimate(int num_qubits, bool two_states);

}  // namespace qcgrad
