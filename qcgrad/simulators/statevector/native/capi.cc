// Plain C entry points, for tests and for anything that loads the library without XLA.
#include <cstdio>
#include <cstring>

#include "blob.h"
#include "describe.h"
#include "engine.h"
#include "memory.h"
#include "threads.h"

// setup.py says it.
#ifndef QCGRAD_SOURCES
#define QCGRAD_SOURCES ""
#endif

using namespace qcgrad;

extern "C" {

struct qcgrad_circuit {
  std::int32_t num_qubits, max_wires;
  std::int64_t num_ops, num_angles, matrices_size;
  const std::int32_t* kind;
  const std::int64_t *x, *z, *ctrl;
  const std::int32_t *kappa, *slot;
  const double *scale, *offset;
  const std::int32_t* wires;
  const std::int64_t* matrix_offset;
  const double* matrices;
};

struct qcgrad_observables {
  std::int64_t num_observables, num_terms;
  const std::int64_t *x, *z;
  const double* coefficient;
  const std::int64_t* offsets;
};

struct qcgrad_bases {
  std::int64_t num_bases, num_observables, num_terms;
  const std::int64_t *x, *z, *support;
  const double* coefficient;
  const std::int64_t* offsets;
};

}  // extern "C"

namespace {

OpTable table_of(const qcgrad_circuit& c) {
  OpTable t;
  t.num_qubits = c.num_qubits, t.num_ops = c.num_ops, t.num_angles = c.num_angles;
  t.kind = c.kind, t.x = c.x, t.z = c.z, t.ctrl = c.ctrl, t.kappa = c.kappa, t.slot = c.slot;
  t.scale = c.scale, t.offset = c.offset;
  t.max_wires = c.max_wires, t.wires = c.wires, t.matrix_offset = c.matrix_offset;
  t.matrices = c.matrices, t.matrices_size = c.matrices_size;
  return t;
}
PauliSums sums_of(const qcgrad_observables& o) {
  PauliSums s;
  s.num_observables = o.num_observables, s.num_terms = o.num_terms;
  s.x = o.x, s.z = o.z, s.coefficient = o.coefficient, s.offsets = o.offsets;
  return s;
}

Bases bases_of(const qcgrad_bases& b) {
  Bases r;
  r.num_bases = b.num_bases, r.num_observables = b.num_observables, r.num_terms = b.num_terms;
  r.x = b.x, r.z = b.z, r.support = b.support, r.coefficient = b.coefficient, r.offsets = b.offsets;
  return r;
}

int invalid(const std::string& error, char* message, int message_size) {
  std::snprintf(message, static_cast<std::size_t>(message_size), "%s", error.c_str());
  return static_cast<int>(Status::kInvalid);
}

std::shared_ptr<const Engine<double>> engine_of(const void* circuit, std::int64_t size, const Measured& measured,
                                                std::string* error) {
  OpTable table;
  PauliSums unused;
  *error = parse_blob(circuit, static_cast<std::size_t>(size), &table, &unused);
  return error->empty() ? cached_engine<double>(table, measured, -1, error) : nullptr;
}

template <class R>
int run_sample(const qcgrad_circuit* c, const qcgrad_bases* b, int isa, std::int64_t points, const double* angles,
               const Shifts* shifts, const Draws& draws, double* means, double* variances, char* message,
               int message_size) {
  std::string error;
  const Bases bases = bases_of(*b);
  auto engine = cached_engine<R>(table_of(*c), {nullptr, &bases, false, shifts != nullptr}, isa, &error);
  if (engine)
    return static_cast<int>(shifts ? sample_shifted(*engine, points, angles, *shifts, draws, means, variances)
                                   : sample(*engine, points, angles, draws, means, variances));
  return invalid(error, message, message_size);
}

template <class R>
int run(const qcgrad_circuit* c, const qcgrad_observables* o, int isa, int what, std::int64_t batch,
        const double* angles, std::int64_t cotangent_batch, std::int64_t rows, const double* cotangents,
        double* values, double* gradients, void* out_state, char* message, int message_size) {
  std::string error;
  PauliSums sums;
  if (o) sums = sums_of(*o);
  auto engine = cached_engine<R>(table_of(*c), {o && what != 2 ? &sums : nullptr, nullptr}, isa, &error);
  if (!engine) return invalid(error, message, message_size);
  Status s;
  if (what == 0)
    s = value(*engine, batch, angles, values);
  else if (what == 1)
    s = value_and_vjp(*engine, batch, angles, cotangent_batch, rows, cotangents, values, gradients);
  else
    s = state(*engine, batch, angles, static_cast<R*>(out_state));
  return static_cast<int>(s);
}

}  // namespace

extern "C" {

// what: 0 value, 1 value and vjp, 2 state. Returns 0, or 1 invalid, 2 out of memory, 3 cancelled.
int qcgrad_run(const qcgrad_circuit* c, const qcgrad_observables* o, int single, int isa, int what,
               std::int64_t batch, const double* angles, std::int64_t cotangent_batch, std::int64_t rows,
               const double* cotangents, double* values, double* gradients, void* out_state, char* message,
               int message_size) {
  return single ? run<float>(c, o, isa, what, batch, angles, cotangent_batch, rows, cotangents, values, gradients,
                             out_state, message, message_size)
                : run<double>(c, o, isa, what, batch, angles, cotangent_batch, rows, cotangents, values, gradients,
                              out_state, message, message_size);
}

// Settings as in sample_shifted if `owner` is not null, else as in sample. Returns as qcgrad_run.
int qcgrad_sample(const qcgrad_circuit* c, const qcgrad_bases* b, int single, int isa, std::int64_t points,
                  const double* angles, std::int64_t count, const std::int32_t* owner, const double* moved,
                  const std::int32_t* shots, const std::uint32_t* streams, double* means, double* variances,
                  char* message, int message_size) {
  const Shifts shifts = {count, owner, moved};
  auto* const run = single ? run_sample<float> : run_sample<double>;
  return run(c, b, isa, points, angles, owner ? &shifts : nullptr, {shots, streams}, means, variances, message,
             message_size);
}

// The state (2^n complex numbers, interleaved) that a circuit prepares, as bytes (blob.h). Returns as qcgrad_run.
int qcgrad_prepare(const void* circuit, std::int64_t size, const double* angles, double* out, char* message,
                   int message_size) {
  std::string error;
  const auto engine = engine_of(circuit, size, {}, &error);
  return engine ? static_cast<int>(state(*engine, 1, angles, out)) : invalid(error, message, message_size);
}

// expectations_along a circuit, as bytes (blob.h), from a state. Returns as qcgrad_run.
int qcgrad_expectations_along(const void* circuit, std::int64_t size, const double* end, std::int64_t batch,
                              const double* angles, double* expectations, char* message, int message_size) {
  std::string error;
  const auto engine = engine_of(circuit, size, {nullptr, nullptr, true}, &error);
  return engine ? static_cast<int>(expectations_along(*engine, batch, angles, end, expectations))
                : invalid(error, message, message_size);
}

int qcgrad_describe(const qcgrad_circuit* c, const qcgrad_observables* o, int single, char* text, int size) {
  std::string error;
  PauliSums sums;
  if (o) sums = sums_of(*o);
  auto write = [&](const auto& engine, int bytes) {
    if (!engine) return static_cast<int>(Status::kInvalid);
    const std::string d = describe(engine->plan, o ? &engine->observables : nullptr, bytes);
    std::snprintf(text, static_cast<std::size_t>(size), "%s", d.c_str());
    return 0;
  };
  return single ? write(cached_engine<float>(table_of(*c), {o ? &sums : nullptr, nullptr}, -1, &error), 4)
                : write(cached_engine<double>(table_of(*c), {o ? &sums : nullptr, nullptr}, -1, &error), 8);
}

void qcgrad_set_num_threads(int count) { set_num_threads(count); }
int qcgrad_shift_states(int num_qubits) { return shift_states(num_qubits); }
int qcgrad_num_threads() { return num_threads(); }
// A hash of the sources that this was built from: builds with different ones give different results.
const char* qcgrad_sources() { return QCGRAD_SOURCES; }
int qcgrad_instruction_set() { return static_cast<int>(instruction_set()); }
int qcgrad_use_instruction_set(int isa) { return use_instruction_set(static_cast<InstructionSet>(isa)); }
int qcgrad_has_instruction_set(int isa) { return kernels_for<double>(static_cast<InstructionSet>(isa)) != nullptr; }
void qcgrad_cancel() { request_cancel(); }
void qcgrad_release_memory() { release_cached_blocks(); }
std::int64_t qcgrad_memory_estimate(int num_qubits, int single, int gradient) {
  return static_cast<std::int64_t>(single ? memory_estimate<float>(num_qubits, gradient)
                                          : memory_estimate<double>(num_qubits, gradient));
}

}  // extern "C"
