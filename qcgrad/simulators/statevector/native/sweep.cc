// Batches of parameter sets, and what is computed for each.
#include <algorithm>
#include <vector>

#include "over_batch.h"

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
Status expectations_along(const Engine<R>& e, i64 batch, const double* angles, const R* end, double* expectations) {
  const i64 stride = e.plan.form.num_angles;
  std::fill(expectations, expectations + batch * stride, 0.0);
  return over_batch(e, batch, true, [&](auto& sweep, i64 i) {
    sweep.set_angles(angles + i * stride);
    sweep.load(end);
    sweep.clear_sums();
    sweep.backward();
    sweep.add_gradient(-1, expectations + i * stride);
  });
}

#define QCGRAD_INSTANTIATE(R)                                                                               \
  template Status value<R>(const Engine<R>&, i64, const double*, double*);                                  \
  template Status value_and_vjp<R>(const Engine<R>&, i64, const double*, i64, i64, const double*, double*, double*); \
  template Status state<R>(const Engine<R>&, i64, const double*, R*);                                       \
  template Status expectations_along<R>(const Engine<R>&, i64, const double*, const R*, double*);
QCGRAD_INSTANTIATE(float)
QCGRAD_INSTANTIATE(double)
#undef QCGRAD_INSTANTIATE

}  // namespace qcgrad
