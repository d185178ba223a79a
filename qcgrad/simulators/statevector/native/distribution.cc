#include "distribution.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace qcgrad {
namespace {

constexpr i64 kChunk = static_cast<i64>(kDrawChunk);
constexpr int kTableBits = 12;
constexpr u64 kRun = u64{1} << kPaddedRunBits;  // amplitudes that are stored without a gap

// What outcomes, or classes of them, say about one observable.
template <class R>
void evaluate(const Kernels<R>& k, const SamplingPlan& plan, std::size_t g, std::size_t observable, const u64* outcomes,
              i64 count, double* values) {
  const std::size_t sum = g * static_cast<std::size_t>(plan.num_observables) + observable;
  const SamplingPlan::Classes* const classes = plan.classes_of(g);
  if (const double* const table = classes ? classes->values.data() + observable * classes->count : plan.table(sum)) {
    for (i64 i = 0; i < count; ++i) values[i] = table[outcomes[i]];
    return;
  }
  const i64 begin = plan.offsets[sum], end = plan.offsets[sum + 1];
  k.string_values(outcomes, static_cast<std::size_t>(count), plan.support.data() + begin,
                  plan.coefficient.data() + begin, static_cast<std::size_t>(end - begin), values);
}

// Calls f(first, amplitudes, count) for runs of outcomes whose amplitudes are stored without a gap.
template <class R, class F>
void for_runs(const Amplitudes<R>& a, u64 begin, u64 end, F f) {
  const u64 run = std::min(end - begin, kRun);
  for (u64 j = begin; j < end; j += run) {
    const u64 at = a.place(j);
    const MixedArgs<R> args = {{a.re + at, a.other_re ? a.other_re + at : nullptr},
                               {a.im + at, a.other_im ? a.other_im + at : nullptr},
                               {a.weight, a.other_weight}};
    f(j, args, run);
  }
}

// Two numbers of each outcome, which are added at once.
typedef double Pair __attribute__((vector_size(16)));

// Sums over classes of what fill(amplitudes, count, numbers) works out for each outcome, a T of numbers.
template <class T, class R, class F>
bool sum_classes(const Amplitudes<R>& amplitudes, int num_qubits, const SamplingPlan::Classes& classes,
                 Block<double>* copies, std::vector<double>* sums, F fill) {
  // Several sums of each class, which do not wait for each other.
  constexpr std::size_t kCopies = 8;
  const std::size_t all = kCopies * classes.count;
  if (!copies->reset(all * sizeof(T) / sizeof(double))) return false;
  T* const copy = reinterpret_cast<T*>(copies->data());
  std::fill(copy, copy + all, T{});
  alignas(64) T numbers[kRun];
  for_runs(amplitudes, 0, u64{1} << num_qubits, [&](u64 first, const MixedArgs<R>& args, u64 count) {
    fill(args, count, reinterpret_cast<double*>(numbers));
    const std::uint16_t* const of = classes.of.data() + first;
    for (u64 j = 0; j < count; ++j) copy[kCopies * of[j] + j % kCopies] += numbers[j];
  });
  sums->resize(classes.count * sizeof(T) / sizeof(double));
  for (std::size_t c = 0; c < classes.count; ++c) {
    T sum = {};
    for (std::size_t i = 0; i < kCopies; ++i) sum += copy[kCopies * c + i];
    std::memcpy(sums->data() + c * sizeof(T) / sizeof(double), &sum, sizeof sum);
  }
  return true;
}

}  // namespace

template <class R>
bool ClassSums<R>::probabilities(const Amplitudes<R>& psi, int num_qubits, const SamplingPlan::Classes& classes,
                                 std::vector<double>* sums) {
  return sum_classes<double>(psi, num_qubits, classes, &copies_, sums, [&](const MixedArgs<R>& args, u64 count, double* p) {
    k_.block_sums(args, 0, count, p);
  });
}

template <class R>
bool ClassSums<R>::products(const Amplitudes<R>& both, int num_qubits, const SamplingPlan::Classes& classes,
                            std::vector<double>* sums) {
  return sum_classes<Pair>(both, num_qubits, classes, &copies_, sums, [&](const MixedArgs<R>& args, u64 count, double* p) {
    k_.pair_products(args, count, p);
  });
}

void mixed_classes(const std::vector<double>& probabilities, const std::vector<double>& products, double a, double b,
                   std::vector<double>* mixed) {
  constexpr double kRounding = 4 * std::numeric_limits<double>::epsilon();
  mixed->resize(probabilities.size());
  for (std::size_t c = 0; c < probabilities.size(); ++c) {
    const double apart = a * a * probabilities[c] + b * b * products[2 * c];
    const double p = apart + 2 * a * b * products[2 * c + 1];
    // What is left where all cancels must not be drawn; NaN must reach the caller.
    (*mixed)[c] = p <= kRounding * apart ? 0 : p;
  }
}

template <class R>
bool Distribution<R>::reset(const Amplitudes<R>& amplitudes, int num_qubits, int threads) {
  amplitudes_ = amplitudes;
  block_bits_ = std::clamp(num_qubits - kTableBits, 0, 4);
  blocks_ = u64{1} << (num_qubits - block_bits_);
  if (!ends_.reset(blocks_)) return false;
  double* const ends = ends_.data();
  const u64 outcomes = u64{1} << num_qubits;
  // Powers of two, so that no run is split.
  u64 parts = 1;
  while (2 * parts <= static_cast<u64>(threads) && 2 * parts * kRun <= outcomes) parts *= 2;
  parallel(static_cast<int>(parts), [&](int t) {
    for_runs(amplitudes, outcomes / parts * t, outcomes / parts * (t + 1), [&](u64 first, const MixedArgs<R>& args, u64 count) {
      k_.block_sums(args, block_bits_, count >> block_bits_, ends + (first >> block_bits_));
    });
  });
  // One thread: the blocks are few, and this way no outcome depends on the number of threads.
  for (u64 b = 1; b < blocks_; ++b) ends[b] += ends[b - 1];
  return true;
}

template <class R>
bool Distribution<R>::reset(const std::vector<double>& probabilities) {
  block_bits_ = 0;
  blocks_ = probabilities.size();
  if (!ends_.reset(blocks_)) return false;
  double end = 0;
  for (u64 c = 0; c < blocks_; ++c) ends_.data()[c] = end += probabilities[c];
  return true;
}

template <class R>
void Distribution<R>::draw(double* uniforms, u64* outcomes) const {
  const double whole = total();
  for (i64 i = 0; i < kChunk; ++i) uniforms[i] *= whole;
  k_.locate(ends_.data(), blocks_, uniforms, outcomes);
  if (block_bits_)
    for (i64 i = 0; i < kChunk; ++i) outcomes[i] = within(outcomes[i], uniforms[i]);
}

template <class R>
u64 Distribution<R>::within(u64 block, double target) const {
  const u64 first = block << block_bits_;
  const int size = 1 << block_bits_;
  double sum = block ? ends_.data()[block - 1] : 0;
  int passed = 0;
  for (int i = 0; i < size; ++i) {
    sum += amplitudes_.probability(first + i);
    passed += sum <= target;
  }
  // Rounding may leave the last sum below the target: then the block's last possible outcome.
  if (passed == size)
    for (passed = size - 1; passed > 0 && amplitudes_.probability(first + passed) == 0;) --passed;
  return first + static_cast<u64>(passed);
}

template <class R>
void measure(const Kernels<R>& kernels, const SamplingPlan& plan, std::size_t g, const Distribution<R>& distribution,
             const DrawStream& stream, i64 shots, int threads, const CancelToken& cancel, double* mean,
             double* variance) {
  const std::size_t observables = static_cast<std::size_t>(plan.num_observables), first_sum = g * observables;
  if (!(distribution.total() > 0) || shots <= 0) {  // NaN must reach the caller
    std::fill(mean, mean + observables, std::numeric_limits<double>::quiet_NaN());
    std::fill(variance, variance + observables, std::numeric_limits<double>::quiet_NaN());
    return;
  }
  auto draw = [&](i64 chunk, u64* outcomes) {
    alignas(64) double numbers[kChunk];
    kernels.uniforms(stream, static_cast<u64>(chunk), numbers);
    distribution.draw(numbers, outcomes);
  };
  // Moments about the first outcome's value: no cancellation, and exactly zero where all outcomes agree.
  std::vector<double> origin(observables);
  const i64 chunks = (shots + kChunk - 1) / kChunk;
  const int parts = static_cast<int>(std::min<i64>(threads, chunks));
  std::vector<double> sums(2 * observables * static_cast<std::size_t>(parts), 0.0);
  alignas(64) u64 outcomes_of_first[kChunk];
  draw(0, outcomes_of_first);
  for (std::size_t k = 0; k < observables; ++k) {
    alignas(64) double value[8];
    evaluate(kernels, plan, g, k, outcomes_of_first, 1, value);
    origin[k] = value[0];
  }
  parallel(parts, [&](int t) {
    alignas(64) u64 drawn[kChunk];
    alignas(64) double values[kChunk];
    double* const sum = sums.data() + 2 * observables * static_cast<std::size_t>(t);
    for (i64 c = chunks * t / parts; c < chunks * (t + 1) / parts && !cancel.cancelled(); ++c) {
      const i64 count = std::min(kChunk, shots - c * kChunk);
      if (c) draw(c, drawn);
      const u64* const outcomes = c ? drawn : outcomes_of_first;
      for (std::size_t k = 0; k < observables; ++k) {
        if (plan.offsets[first_sum + k] == plan.offsets[first_sum + k + 1]) continue;
        evaluate(kernels, plan, g, k, outcomes, count, values);
        kernels.moments(values, static_cast<std::size_t>(count), origin[k], sum + 2 * k);
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

#define QCGRAD_INSTANTIATE(R)                                                                                  \
  template class ClassSums<R>;                                                                                \
  template class Distribution<R>;                                                                             \
  template void measure<R>(const Kernels<R>&, const SamplingPlan&, std::size_t, const Distribution<R>&,       \
                           const DrawStream&, i64, int, const CancelToken&, double*, double*);
QCGRAD_INSTANTIATE(float)
QCGRAD_INSTANTIATE(double)
#undef QCGRAD_INSTANTIATE

}  // namespace qcgrad
