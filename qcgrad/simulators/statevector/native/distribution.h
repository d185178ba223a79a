// Measuring a state: outcomes by inverting its cumulative distribution, and the moments of what they say.
#pragma once
#include <vector>

#include "memory.h"
#include "sampling_plan.h"
#include "threads.h"

namespace qcgrad {

// Amplitudes in memory, real and imaginary parts apart, up to a common factor. `spaced`: stored at padded().
template <class R>
struct Amplitudes {
  const R *re = nullptr, *im = nullptr;
  bool spaced = false;
};

// The cumulative distribution, of large states at every 16th outcome only: the rest is summed again where an outcome
// falls. That takes 1/32 of the memory of a complex128 state, and stays in cache where all of it would not.
template <class R>
class Distribution {
 public:
  // False if memory is short.
  bool reset(const Amplitudes<R>& amplitudes, int num_qubits, int threads);
  // The sum of all probabilities, which is not 1: see Amplitudes. NaN if any of them is.
  double total() const { return ends_.data()[blocks_ - 1]; }
  // For each number in [0, 1), the first outcome whose cumulative probability exceeds that fraction of total().
  void draw(const R* uniforms, i64 count, u64* outcomes) const;

 private:
  u64 start(u64 block) const {
    const u64 j = block << block_bits_;
    return amplitudes_.spaced ? padded<R>(j) : j;
  }
  u64 within(u64 block, double target) const;
  Amplitudes<R> amplitudes_;
  int block_bits_ = 0;
  u64 blocks_ = 0;
  Block<double> ends_;  // cumulative probability up to the end of each block
};

// Adds, for every observable, the mean of `shots` outcomes in basis g and the unbiased variance of that mean (NaN for a
// single shot).
template <class R>
void measure(const Kernels<R>& kernels, const SamplingPlan& plan, std::size_t g, const Distribution<R>& distribution,
             const R* uniforms, i64 shots, int threads, const CancelToken& cancel, double* mean, double* variance);

}  // namespace qcgrad
