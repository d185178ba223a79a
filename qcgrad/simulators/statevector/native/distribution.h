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
  double probability(u64 at) const {
    double a = re[at], b = im[at];
    if (other_re) {
      a = weight * a + other_weight * other_re[at];
      b = weight * b + other_weight * other_im[at];
    }
    return a * a + b * b;
  }
};

// The cumulative distribution: of classes of outcomes, where they are known; else of outcomes, of large states at every
// 16th one only. The rest is summed again where an outcome falls. That takes 1/32 of the memory of a complex128 state, and
// stays in cache where all of it would not.
template <class R>
class Distribution {
 public:
  explicit Distribution(const Kernels<R>& kernels) : k_(kernels) {}
  // False if memory is short.
  bool reset(const Amplitudes<R>& amplitudes, int num_qubits, const SamplingPlan::Classes* classes, int threads);
  // The sum of all probabilities, which is not 1: see Amplitudes. NaN if any of them is.
  double total() const { return ends_.data()[blocks_ - 1]; }
  // For each of kDrawChunk numbers in [0, 1), the first outcome or class whose cumulative probability exceeds that fraction of
  // total(). The numbers become that.
  void draw(double* uniforms, u64* outcomes) const;

 private:
  // Probabilities of runs of blocks, for which f(first block, sums) is called; `sums` takes them, at least a run's.
  template <class F>
  void for_runs(u64 begin, u64 end, F f) const;
  bool reset_classes(const SamplingPlan::Classes& classes);
  u64 start(u64 block) const {
    const u64 j = block << block_bits_;
    return amplitudes_.spaced ? padded<R>(j) : j;
  }
  u64 within(u64 block, double target) const;
  const Kernels<R>& k_;
  Amplitudes<R> amplitudes_;
  int block_bits_ = 0;
  u64 blocks_ = 0;
  Block<double> ends_;  // cumulative probability up to the end of each block, or class
  Block<double> copies_;
};

// Adds, for every observable, the mean of `shots` outcomes in basis g and the unbiased variance of that mean (NaN for a
// single shot).
template <class R>
void measure(const Kernels<R>& kernels, const SamplingPlan& plan, std::size_t g, const Distribution<R>& distribution,
             const DrawStream& stream, i64 shots, int threads, const CancelToken& cancel, double* mean,
             double* variance);

}  // namespace qcgrad
