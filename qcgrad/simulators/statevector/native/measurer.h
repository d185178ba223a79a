// Outcomes of states in measurement bases, added to the results of their settings.
#pragma once
#include <algorithm>
#include <limits>
#include <vector>

#include "distribution.h"
#include "engine.h"
#include "threads.h"

namespace qcgrad {

template <class R>
class Measurer {
 public:
  Measurer(const Engine<R>& engine, const Draws& draws, int threads, const CancelToken& cancel, double* means,
           double* variances)
      : e_(engine), draws_(draws), threads_(threads), cancel_(cancel), means_(means), variances_(variances),
        distribution_(*engine.kernels), sums_(*engine.kernels) {}
  // Adds what basis g of a setting says. False if memory is short.
  bool operator()(i64 setting, std::size_t g, const Amplitudes<R>& amplitudes) {
    const SamplingPlan::Classes* const classes = e_.sampling.classes_of(g);
    if (classes)
      return sums_.probabilities(amplitudes, qubits(), *classes, &probabilities_) && drawn(setting, g, probabilities_);
    if (!distribution_.reset(amplitudes, qubits(), threads_)) return false;
    draw(setting, g);
    return true;
  }
  // The same for several settings with superpositions of two states: `own` has the probabilities of the first by class.
  template <class F>
  bool superposed(const std::vector<i64>& settings, std::size_t g, const Amplitudes<R>& first,
                  const std::vector<double>& own, const Amplitudes<R>& second, F weights) {
    const SamplingPlan::Classes* const classes = e_.sampling.classes_of(g);
    if (classes && !sums_.products(first.plus(1, second, 1), qubits(), *classes, &products_)) return false;
    for (i64 s : settings) {
      const auto [a, b] = weights(s);
      if (classes) mixed_classes(own, products_, a, b, &probabilities_);
      if (!(classes ? drawn(s, g, probabilities_) : (*this)(s, g, first.plus(a, second, b)))) return false;
    }
    return true;
  }
  // Adds what basis g of a setting says, from probabilities of classes.
  bool drawn(i64 setting, std::size_t g, const std::vector<double>& probabilities) {
    if (!distribution_.reset(probabilities)) return false;
    draw(setting, g);
    return true;
  }
  // By class, of a state in basis g; empty where there are no classes. False if memory is short.
  bool probabilities(std::size_t g, const Amplitudes<R>& amplitudes, std::vector<double>* found) {
    const SamplingPlan::Classes* const classes = e_.sampling.classes_of(g);
    return !classes || sums_.probabilities(amplitudes, qubits(), *classes, found);
  }

 private:
  void draw(i64 setting, std::size_t g) {
    const u32* const words = draws_.streams + 3 * setting;
    const DrawStream stream = {{words[0], words[1]}, words[2], static_cast<u32>(g)};
    const i64 outputs = e_.sampling.num_observables;
    measure(*e_.kernels, e_.sampling, g, distribution_, stream, draws_.shots[setting * bases() + static_cast<i64>(g)],
            threads_, cancel_, means_ + setting * outputs, variances_ + setting * outputs);
  }
  int qubits() const { return e_.plan.form.num_qubits; }
  i64 bases() const { return static_cast<i64>(e_.sampling.bases.size()); }
  const Engine<R>& e_;
  const Draws& draws_;
  const int threads_;
  const CancelToken& cancel_;
  double *means_, *variances_;
  Distribution<R> distribution_;
  ClassSums<R> sums_;
  std::vector<double> probabilities_, products_;
};

// Settings that are measured at all: their results begin at zero, the others' are NaN.
template <class R>
std::vector<char> begin_results(const Engine<R>& e, i64 settings, const Draws& draws, double* means, double* variances) {
  const i64 bases = static_cast<i64>(e.sampling.bases.size()), outputs = e.sampling.num_observables;
  std::vector<char> asked(static_cast<std::size_t>(settings));
  for (i64 i = 0; i < settings; ++i) {
    const std::int32_t* const shots = draws.shots + i * bases;
    asked[i] = std::any_of(shots, shots + bases, [](std::int32_t s) { return s > 0; });
    const double start = asked[i] ? 0 : std::numeric_limits<double>::quiet_NaN();
    std::fill(means + i * outputs, means + (i + 1) * outputs, start);
    std::fill(variances + i * outputs, variances + (i + 1) * outputs, start);
  }
  return asked;
}

}  // namespace qcgrad
