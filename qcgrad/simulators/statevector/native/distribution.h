// Measuring a state: outcomes by inverting its cumulative distribution, and the moments of what they say.
#pragma once
#include <vector>

#include "memory.h"
#include "sampling_plan.h"
#include "threads.h"

namespace qcgrad {

// Amplitudes in memory, real and imaginary parts apart, up to a common factor. `spaced`: stored at padded(). Of two
// states the sum with these weights.
template <class R>
struct Amplitudes {
  const R *re = nullptr, *im = nullptr;
  bool spaced = false;
  const R *other_re = nullptr, *other_im = nullptr;
  double weight = 1, other_weight = 0;

  Amplitudes plus(double own, const Amplitudes& other, double others) const {
    return {re, im, spaced, other.re, other.im, own, others};
  }
  u64 place(u64 outcome) const { return spaced ? padded<R>(outcome) : outcome; }
  double probability(u64 outcome) const {
    const u64 at = place(outcome);
    double a = re[at], b = im[at];
    if (other_re) {
      a = weight * a + other_weight * other_re[at];
      b = weight * b + other_weight * other_im[at];
    }
    return a * a + b * b;
  }
};

// Sums over classes of outcomes (SamplingPlan::Classes).
template <class R>
class ClassSums {
 public:
  explicit ClassSums(const Kernels<R>& kernels) : k_(kernels) {}
  // Of each class the probability. False if memory is short.
  bool probabilities(const Amplitudes<R>& psi, int num_qubits, const SamplingPlan::Classes& classes,
                     std::vector<double>* sums);
  // Of each class of two states (Amplitudes::plus) |chi|^2 and Re(psi* chi), one beside the other: see mixed_classes.
  bool products(const Amplitudes<R>& both, int num_qubits, const SamplingPlan::Classes& classes,
                std::vector<double>* sums);

 private:
  const Kernels<R>& k_;
  Block<double> copies_;
};

// Probabilities of classes in the state a psi + b chi: a^2 |psi|^2 + 2 a b Re(psi* chi) + b^2 |chi|^2.
void mixed_classes(const std::vector<double>& probabilities, const std::vector<double>& products, double a, double b,
                   std::vector<double>* mixed);

// The cumulative distribution: of classes of outcomes, or of outcomes, of large states at every 16th one only. The rest is
// summed again where an outcome falls. That takes 1/32 of the memory of a complex128 state, and stays in cache where all of
// it would not.
template <class R>
class Distribution {
 public:
  explicit Distribution(const Kernels<R>& kernels) : k_(kernels) {}
  // Of outcomes. False if memory is short.
  bool reset(const Amplitudes<R>& amplitudes, int num_qubits, int threads);
  // Of a power of two of classes. False if memory is short.
  bool reset(const std::vector<double>& probabilities);
  // The sum of all probabilities, which is not 1: see Amplitudes. NaN if any of them is.
  double total() const { return ends_.data()[blocks_ - 1]; }
  // For each of kDrawChunk numbers in [0, 1), the first outcome or class whose cumulative probability exceeds that fraction of
  // total(). The numbers become that.
  void draw(double* uniforms, u64* outcomes) const;

 private:
  u64 within(u64 block, double target) const;
  const Kernels<R>& k_;
  Amplitudes<R> amplitudes_;
  int block_bits_ = 0;
  u64 blocks_ = 0;
  Block<double> ends_;  // cumulative probability up to the end of each block, or class
};

// Adds, for every observable, the mean of `shots` outcomes in basis g and the unbiased variance of that mean (NaN for a
// single shot).
template <class R>
void measure(const Kernels<R>& kernels, const SamplingPlan& plan, std::size_t g, const Distribution<R>& distribution,
             const DrawStream& stream, i64 shots, int threads, const CancelToken& cancel, double* mean,
             double* variance);

}  // namespace qcgrad
