#include "distribution.h"

#include <algorithm>
#include <limits>

namespace qcgrad {
namespace {

constexpr i64 kChunk = 256;  // outcomes evaluated together; few enough for the first-level cache
constexpr int kTableBits = 12;

template <class R>
double probability(R re, R im) {
  const double a = re, b = im;
  return a * a + b * b;
}

}  // namespace

template <class R>
bool Distribution<R>::reset(const Amplitudes<R>& amplitudes, int num_qubits, int threads) {
  amplitudes_ = amplitudes;
  block_bits_ = std::clamp(num_qubits - kTableBits, 0, 4);
  blocks_ = u64{1} << (num_qubits - block_bits_);
  if (!ends_.reset(blocks_)) return false;
  double* const ends = ends_.data();
  parallel(threads, [&](int t) {
    for (u64 b = blocks_ * t / threads; b < blocks_ * (t + 1) / threads; ++b) {
      const R *const re = amplitudes_.re + start(b), *const im = amplitudes_.im + start(b);
      double sum = 0;
      for (int i = 0; i < 1 << block_bits_; ++i) sum += probability(re[i], im[i]);
      ends[b] = sum;
    }
  });
  // One thread: the blocks are few, and this way no outcome depends on the number of threads.
  for (u64 b = 1; b < blocks_; ++b) ends[b] += ends[b - 1];
  return true;
}

// No branch depends on the number drawn, so that the processor works on several draws at a time.
template <class R>
void Distribution<R>::draw(const R* uniforms, i64 count, u64* outcomes) const {
  const double* const ends = ends_.data();
  const double whole = total();
  for (i64 i = 0; i < count; ++i) {
    const double target = uniforms[i] * whole;
    const double* at = ends;
    for (u64 step = blocks_ >> 1; step; step >>= 1) at += step & (0 - static_cast<u64>(at[step - 1] <= target));
    outcomes[i] = static_cast<u64>(at - ends);
  }
  if (block_bits_)
    for (i64 i = 0; i < count; ++i) outcomes[i] = within(outcomes[i], uniforms[i] * whole);
}

template <class R>
u64 Distribution<R>::within(u64 block, double target) const {
  const R *const re = amplitudes_.re + start(block), *const im = amplitudes_.im + start(block);
  const int size = 1 << block_bits_;
  double sum = block ? ends_.data()[block - 1] : 0;
  int passed = 0;
  for (int i = 0; i < size; ++i) {
    sum += probability(re[i], im[i]);
    passed += sum <= target;
  }
  // Rounding may leave the last sum below the target: then the block's last possible outcome.
  if (passed == size)
    for (passed = size - 1; passed > 0 && probability(re[passed], im[passed]) == 0;) --passed;
  return (block << block_bits_) + static_cast<u64>(passed);
}

template <class R>
void measure(const Kernels<R>& kernels, const SamplingPlan& plan, std::size_t g, const Distribution<R>& distribution,
             const R* uniforms, i64 shots, int threads, const CancelToken& cancel, double* mean, double* variance) {
  const std::size_t observables = static_cast<std::size_t>(plan.num_observables);
  const i64* const offsets = plan.offsets.data() + g * observables;
  if (!(distribution.total() > 0)) {  // NaN must reach the caller
    std::fill(mean, mean + observables, std::numeric_limits<double>::quiet_NaN());
    std::fill(variance, variance + observables, std::numeric_limits<double>::quiet_NaN());
    return;
  }
  auto evaluate = [&](std::size_t k, const u64* outcomes, i64 count, double* values) {
    kernels.string_values(outcomes, static_cast<std::size_t>(count), plan.support.data() + offsets[k],
                          plan.coefficient.data() + offsets[k], static_cast<std::size_t>(offsets[k + 1] - offsets[k]),
                          values);
  };
  // Moments about the first outcome's value: no cancellation, and exactly zero where all outcomes agree.
  std::vector<double> origin(observables);
  for (std::size_t k = 0; k < observables; ++k) {
    alignas(64) u64 outcome[8] = {};
    alignas(64) double value[8];
    distribution.draw(uniforms, 1, outcome);
    evaluate(k, outcome, 1, value);
    origin[k] = value[0];
  }
  const int parts = static_cast<int>(std::min<i64>(threads, (shots + kChunk - 1) / kChunk));
  std::vector<double> sums(2 * observables * static_cast<std::size_t>(parts), 0.0);
  parallel(parts, [&](int t) {
    alignas(64) u64 outcomes[kChunk] = {};
    alignas(64) double values[kChunk];
    double* const sum = sums.data() + 2 * observables * static_cast<std::size_t>(t);
    const i64 end = shots * (t + 1) / parts;
    for (i64 first = shots * t / parts; first < end && !cancel.cancelled(); first += kChunk) {
      const i64 count = std::min(kChunk, end - first);
      distribution.draw(uniforms + first, count, outcomes);
      for (std::size_t k = 0; k < observables; ++k) {
        if (offsets[k] == offsets[k + 1]) continue;
        evaluate(k, outcomes, count, values);
        for (i64 i = 0; i < count; ++i) {
          const double d = values[i] - origin[k];
          sum[2 * k] += d;
          sum[2 * k + 1] += d * d;
        }
      }
    }
  });
  const double n = static_cast<double>(shots);
  for (std::size_t k = 0; k < observables; ++k) {
    double first = 0, second = 0;
    for (int t = 0; t < parts; ++t) {
      first += sums[2 * (observables * static_cast<std::size_t>(t) + k)];
      second += sums[2 * (observables * static_cast<std::size_t>(t) + k) + 1];
    }
    mean[k] += origin[k] + first / n;
    // 0/0 = NaN for one shot: a single draw says nothing about its own variance.
    variance[k] += std::max(0.0, second - first * first / n) / (n - 1) / n;
  }
}

#define QCGRAD_INSTANTIATE(R)                                                                                      \
  template class Distribution<R>;                                                                                 \
  template void measure<R>(const Kernels<R>&, const SamplingPlan&, std::size_t, const Distribution<R>&, const R*, \
                           i64, int, const CancelToken&, double*, double*);
QCGRAD_INSTANTIATE(float)
QCGRAD_INSTANTIATE(double)
#undef QCGRAD_INSTANTIATE

}  // namespace qcgrad
