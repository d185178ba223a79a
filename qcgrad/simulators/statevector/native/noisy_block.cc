#include "noisy_block.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "threads.h"

namespace qcgrad {
namespace {

// Shorter loops are over before another thread has woken up.
constexpr u64 kTilesPerThread = 16, kStringsPerThread = 4096;

}  // namespace

template <class R>
NoisyBlock<R>::NoisyBlock(const NoisyCircuit& c, i64 index, const double* angles) : num_qubits_(c.num_qubits) {
  const NoisyOps& ops = c.ops;
  auto turn = [&](i64 i) {
    return ops.slot[i] < 0 ? ops.offset[i] : ops.scale[i] * angles[ops.slot[i]] + ops.offset[i];
  };
  const i32* digits = c.digits + 2 * index;
  const i64 first = c.offsets[index], last = c.offsets[index + 1];
  if (digits[0] < 0) {
    string_ = static_cast<u64>(ops.string[first]);
    cosine_ = std::cos(turn(first)), sine_ = std::sin(turn(first));
    return;
  }
  geometry_ = superop_geometry<R>(num_qubits_, digits[0], digits[1], 2);
  std::fill(matrix_, matrix_ + 256, 0.0);
  for (int i = 0; i < 16; ++i) matrix_[17 * i] = 1;
  for (i64 i = first; i < last; ++i) {
    if (ops.matrix[i] < 0)
      rotate(static_cast<u64>(ops.string[i]), turn(i));
    else
      multiply(c.matrices + 256 * ops.matrix[i]);
  }
}

template <class R>
void NoisyBlock<R>::rotate(u64 string, double t) {
  const double c = std::cos(t), s = std::sin(t);
  for (u64 q = 0; q < 16; ++q) {
    const u64 partner = q ^ string;
    const int sign = string_sign(string, q);
    if (!sign || partner < q) continue;
    for (int i = 0; i < 16; ++i) {
      double &a = matrix_[16 * q + i], &b = matrix_[16 * partner + i];
      const double before = a;
      a = c * before + sign * s * b;
      b = c * b - sign * s * before;
    }
  }
}

template <class R>
void NoisyBlock<R>::multiply(const double* matrix) {
  double product[256] = {};
  for (int o = 0; o < 16; ++o)
    for (int k = 0; k < 16; ++k)
      for (int i = 0; i < 16; ++i) product[16 * o + i] += matrix[16 * o + k] * matrix_[16 * k + i];
  std::copy(product, product + 256, matrix_);
}

template <class R>
void NoisyBlock<R>::apply(const Kernels<R>& kernels, R* r, bool transposed, int threads) const {
  if (string_) {
    const u64 pairs = u64{1} << (2 * num_qubits_ - 1);
    split(pairs, kStringsPerThread, threads, [&](int, u64 first, u64 last) {
      kernels.string_rotate(r, string_, first, last, cosine_, transposed ? -sine_ : sine_);
    });
    return;
  }
  R by_inputs[256];
  for (int o = 0; o < 16; ++o)
    for (int i = 0; i < 16; ++i) by_inputs[16 * i + o] = static_cast<R>(matrix_[transposed ? 16 * i + o : 16 * o + i]);
  split(geometry_.tiles, kTilesPerThread, threads, [&](int, u64 first, u64 last) {
    kernels.superop_apply(r, geometry_, first, last, by_inputs);
  });
}

template <class R>
void NoisyBlock<R>::transition(const Kernels<R>& kernels, const R* lambda, const R* r, int threads,
                               double* sums) const {
  std::vector<double> parts(static_cast<std::size_t>(threads) * kSums);
  const u64 count = string_ ? u64{1} << (2 * num_qubits_) : geometry_.tiles;
  split(count, string_ ? kStringsPerThread : kTilesPerThread, threads, [&](int part, u64 first, u64 last) {
    double* to = parts.data() + part * kSums;
    if (string_)
      kernels.string_transition(lambda, r, string_, first, last, to);
    else
      kernels.superop_transition(lambda, r, geometry_, first, last, to);
  });
  // In the order of the threads, so that results are the same for the same number of them.
  for (std::size_t i = 0; i < parts.size(); ++i) sums[i % kSums] += parts[i];
}

template <class R>
double NoisyBlock<R>::value(const double* sums) const {
  if (string_) return sums[0] + cosine_ * sums[1] + sine_ * sums[2];
  double total = 0;
  for (int i = 0; i < 256; ++i) total += matrix_[i] * sums[i];
  return total;
}

template class NoisyBlock<float>;
template class NoisyBlock<double>;

}  // namespace qcgrad
