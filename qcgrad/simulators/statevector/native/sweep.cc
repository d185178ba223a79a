// Batches of parameter sets, and what is computed for each.
#include <algorithm>
#include <atomic>
#include <limits>
#include <vector>

#include "memory_sweep.h"
#include "tile_sweep.h"

namespace qcgrad {
namespace {

template <class R, class S>
void setting_value(const Engine<R>& e, S& sweep, const double* angles, double* values) {
  const ObservablePlan& o = e.observables;
  sweep.set_angles(angles);
  sweep.forward();
  if (o.num_observables == 1) {  // no need for the strings one by one
    values[0] = sweep.apply_observables(o.weights.data(), false);
    return;
  }
  const std::vector<double> strings = sweep.expectations();
  for (i64 k = 0; k < o.num_observables; ++k) {
    values[k] = 0;
    for (std::size_t s = 0; s < o.num_strings; ++s)
      values[k] += o.weights[static_cast<std::size_t>(k) * o.num_strings + s] * strings[s];
  }
}

template <class R, class S>
void setting_vjp(const Engine<R>& e, S& sweep, const double* angles, i64 rows, const double* cotangents,
                double* values, double* gradients) {
  const ObservablePlan& o = e.observables;
  const i64 num_angles = e.plan.form.num_angles;
  std::fill(gradients, gradients + rows * num_angles, 0.0);
  if (o.num_observables == 1) {
    // The gradient is linear in the cotangent: one sweep serves every row, and <psi|lambda> is the value.
    sweep.set_angles(angles);
    sweep.forward();
    values[0] = sweep.apply_observables(o.weights.data(), true);
    sweep.clear_sums();
    sweep.backward();
    for (i64 c = 0; c < rows; ++c) sweep.add_gradient(cotangents[c], gradients + c * num_angles);
    return;
  }
  std::vector<double> weights(o.num_strings);
  setting_value(e, sweep, angles, values);
  for (i64 c = 0; c < rows; ++c) {
    if (c) sweep.forward();
    std::fill(weights.begin(), weights.end(), 0.0);
    for (i64 k = 0; k < o.num_observables; ++k)
      for (std::size_t s = 0; s < o.num_strings; ++s)
        weights[s] += cotangents[c * o.num_observables + k] * o.weights[static_cast<std::size_t>(k) * o.num_strings + s];
    sweep.apply_observables(weights.data(), true);
    sweep.clear_sums();
    sweep.backward();
    sweep.add_gradient(1, gradients + c * num_angles);
  }
}

// Draws outcomes in every basis. False if memory is short.
template <class R, class S>
bool setting_sample(const Engine<R>& e, S& sweep, const double* angles, i64 draws, const R* uniforms, i64 shots,
                    double* means, double* variances) {
  const SamplingPlan& plan = e.sampling;
  std::fill(means, means + plan.num_observables, 0.0);
  std::fill(variances, variances + plan.num_observables, 0.0);
  sweep.set_angles(angles);
  sweep.forward();
  if (!sweep.keep()) return false;
  Distribution<R> distribution;
  for (std::size_t g = 0; g < plan.bases.size() && !sweep.cancel().cancelled(); ++g) {
    if (!distribution.reset(sweep.in_basis(plan.bases[g]), e.plan.form.num_qubits, sweep.threads())) return false;
    measure(*e.kernels, plan, g, distribution, uniforms + static_cast<i64>(g) * draws, shots, sweep.threads(),
            sweep.cancel(), means, variances);
  }
  return true;
}

// Runs work(sweep, i) over the batch: entries over threads when a state fits a tile, else threads in an entry.
template <class R, class F>
Status over_batch(const Engine<R>& e, i64 batch, bool two_states, F work) {
  const CancelToken cancel;
  const int threads = num_threads();
  if (e.in_one_tile()) {
    const int parts = static_cast<int>(std::min<i64>(threads, batch));
    std::vector<char> failed(parts, 0);
    parallel(parts, [&](int t) {
      TileSweep<R> sweep(e, parts == 1 ? threads : 1, &cancel);
      if (!sweep.prepare()) {
        failed[t] = 1;
        return;
      }
      for (i64 i = batch * t / parts; i < batch * (t + 1) / parts && !cancel.cancelled(); ++i) work(sweep, i);
    });
    for (char f : failed)
      if (f) return Status::kOutOfMemory;
  } else {
    Sweep<R> sweep(e, threads, &cancel);
    if (!sweep.prepare(two_states)) return Status::kOutOfMemory;
    for (i64 i = 0; i < batch && !cancel.cancelled(); ++i) work(sweep, i);
  }
  return cancel.cancelled() ? Status::kCancelled : Status::kOk;
}

}  // namespace

template <class R>
Status value(const Engine<R>& e, i64 batch, const double* angles, double* values) {
  return over_batch(e, batch, false, [&](auto& sweep, i64 i) {
    setting_value(e, sweep, angles + i * e.plan.form.num_angles, values + i * e.observables.num_observables);
  });
}

template <class R>
Status value_and_vjp(const Engine<R>& e, i64 batch, const double* angles, i64 cotangent_batch, i64 rows,
                     const double* cotangents, double* values, double* gradients) {
  const i64 stride = cotangent_batch == 1 ? 0 : rows * e.observables.num_observables;
  return over_batch(e, batch, true, [&](auto& sweep, i64 i) {
    setting_vjp(e, sweep, angles + i * e.plan.form.num_angles, rows, cotangents + i * stride,
               values + i * e.observables.num_observables, gradients + i * rows * e.plan.form.num_angles);
  });
}

template <class R>
Status state(const Engine<R>& e, i64 batch, const double* angles, R* out) {
  return over_batch(e, batch, false, [&](auto& sweep, i64 i) {
    sweep.set_angles(angles + i * e.plan.form.num_angles);
    sweep.forward();
    sweep.copy_state(out + (static_cast<std::size_t>(i) << (e.plan.form.num_qubits + 1)));
  });
}

template <class R>
Status sample(const Engine<R>& e, i64 batch, const double* angles, i64 draws, const R* uniforms,
              const std::int32_t* shots, double* means, double* variances) {
  const i64 numbers = static_cast<i64>(e.sampling.bases.size()) * draws, outputs = e.sampling.num_observables;
  std::fill(means, means + batch * outputs, std::numeric_limits<double>::quiet_NaN());
  std::fill(variances, variances + batch * outputs, std::numeric_limits<double>::quiet_NaN());
  std::vector<i64> asked;
  for (i64 i = 0; i < batch; ++i)
    if (shots[i] > 0) asked.push_back(i);
  std::atomic<bool> short_of_memory{false};
  const Status status = over_batch(e, static_cast<i64>(asked.size()), e.sampling.rotates, [&](auto& sweep, i64 a) {
    const i64 i = asked[a];
    if (!setting_sample(e, sweep, angles + i * e.plan.form.num_angles, draws, uniforms + i * numbers, shots[i],
                        means + i * outputs, variances + i * outputs))
      short_of_memory = true;
  });
  return short_of_memory ? Status::kOutOfMemory : status;
}

#define QCGRAD_INSTANTIATE(R)                                                                               \
  template Status value<R>(const Engine<R>&, i64, const double*, double*);                                  \
  template Status value_and_vjp<R>(const Engine<R>&, i64, const double*, i64, i64, const double*, double*, double*); \
  template Status state<R>(const Engine<R>&, i64, const double*, R*);                                       \
  template Status sample<R>(const Engine<R>&, i64, const double*, i64, const R*, const std::int32_t*, double*, double*);
QCGRAD_INSTANTIATE(float)
QCGRAD_INSTANTIATE(double)
#undef QCGRAD_INSTANTIATE

}  // namespace qcgrad
