#include <algorithm>
#include <atomic>
#include <cstring>
#include <vector>

#include "memory.h"
#include "noisy_block.h"
#include "threads.h"

namespace qcgrad {
namespace {

// Up to here each thread works on settings of its own, in its own cache; beyond, all on one.
constexpr int kQubitsPerThread = 8;

template <class R>
std::size_t numbers(const NoisyCircuit& c) {
  return padded<R>(u64{1} << (2 * c.num_qubits));
}

// |0...0>: every string of I and Z has expectation value 1.
template <class R>
void start(const NoisyCircuit& c, R* r) {
  std::fill(r, r + numbers<R>(c), R{0});
  for (u64 set = 0; set < u64{1} << c.num_qubits; ++set) {
    u64 string = 0;
    for (int q = 0; q < c.num_qubits; ++q) string |= (set >> q & 1) << (2 * q + 1);
    r[padded<R>(string)] = 1;
  }
}

template <class R>
class Sweep {
 public:
  Sweep(const NoisyCircuit& c, const double* angles, i64 segment, const NoisySums& sums)
      : kernels_(*kernels_for<R>(instruction_set())), circuit_(c), angles_(angles), segment_(segment), sums_(sums) {}

  Status allocate() {
    const i64 kept = (circuit_.num_blocks + segment_ - 1) / segment_ + segment_ + sums_.rows + 1;
    size_ = numbers<R>(circuit_);
    return memory_.reset(size_ * static_cast<std::size_t>(kept)) ? Status::kOk : Status::kOutOfMemory;
  }

  // What every block does to every row, 256 numbers each; the values at the point (K,).
  Status run(double* transitions, double* values) {
    const i64 segments = (circuit_.num_blocks + segment_ - 1) / segment_;
    R* const r = state(0);
    start(circuit_, r);
    for (i64 b = 0; b < circuit_.num_blocks; ++b) {
      if (b % segment_ == 0) copy(r, checkpoint(b / segment_));
      if (cancel_.cancelled()) return Status::kCancelled;
      forwards(b, r);
    }
    observe(r, values);
    for (i64 s = segments - 1; s >= 0; --s) {
      const i64 first = s * segment_, last = std::min(first + segment_, circuit_.num_blocks);
      copy(checkpoint(s), between(0));
      for (i64 b = first; b + 1 < last; ++b) {
        copy(between(b - first), between(b - first + 1));
        forwards(b, between(b - first + 1));
      }
      for (i64 b = last - 1; b >= first; --b) {
        if (cancel_.cancelled()) return Status::kCancelled;
        const NoisyBlock<R> block(circuit_, b, angles_);
        for (i64 k = 0; k < sums_.rows; ++k) {
          double* to = transitions + (b * sums_.rows + k) * NoisyBlock<R>::kSums;
          block.transition(kernels_, covector(k), between(b - first), num_threads(), to);
          block.apply(kernels_, covector(k), true, num_threads());
        }
      }
    }
    return Status::kOk;
  }

 private:
  R* state(i64 place) const { return memory_.data() + size_ * static_cast<std::size_t>(place); }
  R* covector(i64 k) const { return state(1 + k); }
  R* between(i64 place) const { return state(1 + sums_.rows + place); }
  R* checkpoint(i64 s) const { return state(1 + sums_.rows + segment_ + s); }
  void copy(const R* from, R* to) const { std::memcpy(to, from, size_ * sizeof(R)); }
  void forwards(i64 b, R* r) const { NoisyBlock<R>(circuit_, b, angles_).apply(kernels_, r, false, num_threads()); }

  void observe(const R* r, double* values) const {
    for (i64 k = 0; k < sums_.rows; ++k) {
      R* const lambda = covector(k);
      std::fill(lambda, lambda + size_, R{0});
      values[k] = 0;
      for (i64 d = 0; d < sums_.count; ++d) {
        const double c = sums_.coefficients[k * sums_.count + d];
        const u64 at = padded<R>(static_cast<u64>(sums_.strings[d]));
        lambda[at] += static_cast<R>(c);
        values[k] += c * static_cast<double>(r[at]);
      }
    }
  }

  const Kernels<R>& kernels_;
  const NoisyCircuit& circuit_;
  const double* angles_;
  const i64 segment_;
  const NoisySums& sums_;
  const CancelToken cancel_;
  std::size_t size_ = 0;
  Block<R> memory_;
};

// For every angle the block that it drives, or -1.
std::vector<i64> driven(const NoisyCircuit& c) {
  std::vector<i64> found(static_cast<std::size_t>(c.num_angles), -1);
  for (i64 b = 0; b < c.num_blocks; ++b)
    for (i64 i = c.offsets[b]; i < c.offsets[b + 1]; ++i)
      if (c.ops.slot[i] >= 0) found[static_cast<std::size_t>(c.ops.slot[i])] = b;
  return found;
}

}  // namespace

template <class R>
Status noisy_read(const NoisyCircuit& c, i64 batch, const double* angles, i64 count, const i64* strings, R* out) {
  const Kernels<R>& kernels = *kernels_for<R>(instruction_set());
  const bool is_small = c.num_qubits <= kQubitsPerThread;
  const int parts = is_small ? static_cast<int>(std::min<i64>(num_threads(), batch)) : 1;
  const int threads = parts > 1 ? 1 : num_threads();
  const std::size_t size = numbers<R>(c);
  Block<R> memory(size * static_cast<std::size_t>(parts));
  if (!memory.data()) return batch ? Status::kOutOfMemory : Status::kOk;
  const CancelToken cancel;
  parallel(parts, [&](int part) {
    R* const r = memory.data() + size * static_cast<std::size_t>(part);
    for (i64 s = part; s < batch; s += parts) {
      start(c, r);
      for (i64 b = 0; b < c.num_blocks && !cancel.cancelled(); ++b)
        NoisyBlock<R>(c, b, angles + s * c.num_angles).apply(kernels, r, false, threads);
      for (i64 d = 0; d < count; ++d)
        out[s * count + d] = r[padded<R>(static_cast<u64>(strings ? strings[d] : d))];
    }
  });
  return cancel.cancelled() ? Status::kCancelled : Status::kOk;
}

template <class R>
Status noisy_shifts(const NoisyCircuit& c, const double* angles, const NoisyShifts& shifts, const NoisySums& sums,
                    i64 segment, double* out) {
  const std::size_t rows = static_cast<std::size_t>(sums.rows);
  std::vector<double> transitions(static_cast<std::size_t>(c.num_blocks) * rows * NoisyBlock<R>::kSums);
  Sweep<R> sweep(c, angles, segment, sums);
  Status status = sweep.allocate();
  if (status == Status::kOk) status = sweep.run(transitions.data(), out);
  if (status != Status::kOk) return status;
  const std::vector<i64> block_of = driven(c);
  std::vector<double> moved(angles, angles + c.num_angles);
  for (i64 s = 0; s < shifts.count; ++s) {
    const i32 a = shifts.owner[s];
    const i64 b = a < 0 ? -1 : block_of[static_cast<std::size_t>(a)];
    double* const to = out + (1 + s) * sums.rows;
    if (b < 0) {
      std::copy(out, out + sums.rows, to);
      continue;
    }
    moved[static_cast<std::size_t>(a)] = shifts.moved[s];
    const NoisyBlock<R> block(c, b, moved.data());
    for (i64 k = 0; k < sums.rows; ++k)
      to[k] = block.value(transitions.data() + (static_cast<std::size_t>(b) * rows + k) * NoisyBlock<R>::kSums);
    moved[static_cast<std::size_t>(a)] = angles[a];
  }
  return Status::kOk;
}

#define QCGRAD_NOISY(R)                                                                                            \
  template Status noisy_read<R>(const NoisyCircuit&, i64, const double*, i64, const i64*, R*);                     \
  template Status noisy_shifts<R>(const NoisyCircuit&, const double*, const NoisyShifts&, const NoisySums&, i64,   \
                                  double*);
QCGRAD_NOISY(float)
QCGRAD_NOISY(double)
#undef QCGRAD_NOISY

}  // namespace qcgrad
