// One parameter set on the calling thread, with the whole state in one tile.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "distribution.h"
#include "engine.h"

namespace qcgrad {

template <class R>
class TileSweep {
 public:
  // `threads` are for drawing outcomes only: there are some to spare if the batch has one entry.
  TileSweep(const Engine<R>& engine, int threads, const CancelToken* cancel)
      : e_(engine), k_(*engine.kernels), threads_(threads), cancel_(cancel) {}
  bool prepare(bool /*two_states*/ = false) { return run_.prepare(e_.kernels, e_.max_tile_bits(), e_.plan.form.terms.size(), cancel_); }
  std::size_t reals() const { return 2 * size(); }
  int threads() const { return threads_; }
  const CancelToken& cancel() const { return *cancel_; }
  void set_angles(const double* angles) { angles_.evaluate(e_.plan.form, angles); }
  void forward() {
    begin();
    scale_ = run_.forward(e_.plan.passes[0], e_.plan.form, angles_, none_, 0, 1);
  }

  // A state (2^n complex numbers, interleaved) as psi, and i times it as lambda: see expectations_along.
  void load(const R* state) {
    const std::size_t count = std::size_t{1} << e_.plan.form.num_qubits;
    std::memset(run_.psi(), 0, 2 * size() * sizeof(R));
    std::memset(run_.lambda(), 0, 2 * size() * sizeof(R));
    for (std::size_t j = 0; j < count; ++j) {
      run_.psi()[j] = run_.lambda()[j + size()] = state[2 * j];
      run_.psi()[j + size()] = state[2 * j + 1];
      run_.lambda()[j] = -state[2 * j + 1];
    }
    scale_ = 1;
  }

  // ---- the trunk: the state part of the way through the circuit, from where it is finished with some other angle ----
  Angles& angles() { return angles_; }
  double scale() const { return scale_; }
  bool plant() {
    if (!trunk_memory_.reset(2 * size())) return false;
    begin();
    trunk_ = run_.exchange(trunk_memory_.data());
    at_ = 0;
    trunk_scale_ = 1;
    return true;
  }
  // Up to before a point where one angle enters (ForkPlan), which must not fall from call to call.
  void grow(int point) {
    if (at_ == point) return;
    R* const other = run_.exchange(trunk_);
    trunk_scale_ = steps(trunk_scale_, at_, point);
    trunk_ = run_.exchange(other);
    at_ = point;
  }
  void finish() {
    std::memcpy(run_.psi(), trunk_, 2 * size() * sizeof(R));
    scale_ = steps(trunk_scale_, at_, static_cast<int>(e_.plan.passes[0].steps.size()));
  }
  void backward() { scale_ = run_.backward(e_.plan.passes[0], e_.plan.form, angles_, none_, 0, scale_); }
  double apply_observables(const double* weights, bool /*keep*/) {
    std::memset(run_.lambda(), 0, 2 * size() * sizeof(R));
    for (const ObservablePass& pass : e_.observables.passes)
      apply_observable(k_, pass, weights, 0, run_.psi(), run_.lambda(), &run_);
    return k_.dot(run_.psi(), run_.lambda(), 2 * size()) * scale_ * scale_;
  }
  std::vector<double> expectations() {
    std::vector<double> sum(e_.observables.num_strings, 0.0);
    for (const ObservablePass& pass : e_.observables.passes)
      expect_strings(k_, pass, 0, run_.psi(), &run_, sum.data());
    for (double& s : sum) s *= scale_ * scale_;
    return sum;
  }
  void clear_sums() { std::fill(run_.sums().begin(), run_.sums().end(), 0.0); }
  void add_gradient(double factor, double* gradient) {
    const auto& terms = e_.plan.form.terms;
    for (std::size_t i = 0; i < terms.size(); ++i)
      if (terms[i].slot >= 0) gradient[terms[i].slot] += factor * terms[i].scale * run_.sums()[i];
  }
  void copy_state(R* out) {
    const std::size_t count = std::size_t{1} << e_.plan.form.num_qubits;
    const double re = scale_ * std::cos(angles_.phase), im = scale_ * std::sin(angles_.phase);
    for (std::size_t j = 0; j < count; ++j) {
      const double a = run_.psi()[j], b = run_.psi()[j + size()];
      out[2 * j] = static_cast<R>(a * re - b * im);
      out[2 * j + 1] = static_cast<R>(a * im + b * re);
    }
  }

  // Keeps a copy of the state if it is rotated into several bases. False if memory is short.
  bool keep() {
    if (e_.sampling.rotations < 2) return true;
    if (!kept_.reset(2 * size())) return false;
    std::memcpy(kept_.data(), run_.psi(), 2 * size() * sizeof(R));
    return true;
  }
  // The kept state as seen in a basis, until the next call. To be called in the order of the plan.
  Amplitudes<R> in_basis(const BasisPlan& basis) {
    if (basis.computational()) return {run_.psi(), run_.psi() + size(), false};
    if (e_.sampling.rotations > 1) std::memcpy(run_.psi(), kept_.data(), 2 * size() * sizeof(R));
    run_.forward(basis.rotation.passes[0], basis.rotation.form, basis.angles, none_, 0, 1);
    return {run_.psi(), run_.psi() + size(), false};
  }

 private:
  std::size_t size() const { return std::size_t{1} << e_.plan.passes[0].shape.bits; }
  void begin() {
    std::memset(run_.psi(), 0, 2 * size() * sizeof(R));
    run_.psi()[0] = 1;
  }
  double steps(double scale, int from, int to) {
    return run_.forward_steps(e_.plan.passes[0], e_.plan.form, angles_, none_, 0, scale, static_cast<std::size_t>(from),
                              static_cast<std::size_t>(to));
  }
  const Engine<R>& e_;
  const Kernels<R>& k_;
  const int threads_;
  const CancelToken* const cancel_;
  TileRunner<R> run_;
  Block<R> kept_, trunk_memory_;
  R* trunk_ = nullptr;
  int at_ = 0;
  double trunk_scale_ = 1;
  Angles angles_;
  FixedTables<R> none_;
  double scale_ = 1;
};

}  // namespace qcgrad
