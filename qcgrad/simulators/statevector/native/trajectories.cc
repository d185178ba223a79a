#include "trajectories.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels.h"
#include "memory.h"
#include "threads.h"

namespace qcgrad {
namespace {

struct Number {
  double re = 0, im = 0;
};
// std::complex looks for infinities in every product.
inline Number times(Number a, Number b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
inline Number conj(Number a) { return {a.re, -a.im}; }
inline void add(Number& to, Number a) { to.re += a.re, to.im += a.im; }

// Of two qubits.
struct Matrix {
  Number at[4][4];
  static Matrix identity() {
    Matrix m;
    for (int i = 0; i < 4; ++i) m.at[i][i].re = 1;
    return m;
  }
};
Matrix product(const Matrix& a, const Matrix& b) {
  Matrix m;
  for (int i = 0; i < 4; ++i)
    for (int k = 0; k < 4; ++k)
      for (int j = 0; j < 4; ++j) add(m.at[i][j], times(a.at[i][k], b.at[k][j]));
  return m;
}
Matrix adjoint(const Matrix& a) {
  Matrix m;
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j) m.at[i][j] = conj(a.at[j][i]);
  return m;
}

// -i s i^|x & z|: what P = i^|x & z| X^x Z^z is multiplied by in exp(-i t P/2), s = sin(t/2).
Number turning(u64 x, u64 z, double s) {
  constexpr double re[4] = {0, 1, 0, -1}, im[4] = {-1, 0, 1, 0};
  const int power = popcount(x & z) & 3;
  return {s * re[power], s * im[power]};
}

// Shorter loops are over before another thread has woken up.
constexpr u64 kTilesPerThread = 64, kAmplitudesPerThread = 8192;

template <class R>
class Trajectory {
 public:
  Trajectory(const JumpCircuit& c, const std::vector<Matrix>& operators, const std::vector<Matrix>& effects, R* memory,
             int threads)
      : kernels_(*kernels_for<R>(instruction_set())), c_(c), operators_(operators), effects_(effects), psi_(memory),
        half_(padded<R>(u64{1} << c.num_qubits)), threads_(threads) {}

  static std::size_t numbers(const JumpCircuit& c) { return 2 * padded<R>(u64{1} << c.num_qubits); }

  void run(const double* angles, const double* uniforms, std::complex<R>* out) {
    std::fill(psi_, psi_ + 2 * half_, R{0});
    psi_[0] = 1;
    for (i64 b = 0; b < c_.num_blocks; ++b) {
      if (c_.digits[2 * b] < 0)
        turn_all(c_.offsets[b], angles);
      else
        block(b, angles, uniforms);
    }
    const int idle = static_cast<int>(c_.num_qubits - c_.out_qubits);
    for (u64 j = 0; j < u64{1} << c_.out_qubits; ++j) {
      const u64 at = padded<R>(j << idle);
      out[j] = {psi_[at], psi_[half_ + at]};
    }
  }

 private:
  double half_angle(i64 op, const double* angles) const {
    return (c_.slot[op] < 0 ? c_.offset[op] : c_.scale[op] * angles[c_.slot[op]] + c_.offset[op]) / 2;
  }

  void turn_all(i64 op, const double* angles) {
    const double h = half_angle(op, angles);
    const u64 x = static_cast<u64>(c_.x[op]), z = static_cast<u64>(c_.z[op]);
    const Number f = turning(x, z, std::sin(h));
    const double cosine = std::cos(h);
    split(u64{1} << (c_.num_qubits - (x ? 1 : 0)), kAmplitudesPerThread, threads_, [&](int, u64 from, u64 to) {
      kernels_.state_rotate(psi_, psi_ + half_, x, z, from, to, cosine, f.re, f.im);
    });
  }

  // Everything that happens depends on the rest of the state through the density matrix of the two qubits alone: so the
  // state is read once, jumps are drawn on small matrices, and the state is written once.
  void block(i64 b, const double* angles, const double* uniforms) {
    const SuperopGeometry g = superop_geometry<R>(static_cast<int>(c_.num_qubits), static_cast<int>(c_.digits[2 * b]),
                                                  static_cast<int>(c_.digits[2 * b + 1]), 1, half_);
    bool looks = false;
    for (i64 op = c_.offsets[b]; op < c_.offsets[b + 1]; ++op) looks |= c_.count[op] > 0 && !c_.fixed[op];
    const Matrix reduced = looks ? density(g) : Matrix();
    Matrix m = Matrix::identity();
    for (i64 op = c_.offsets[b]; op < c_.offsets[b + 1]; ++op) {
      if (c_.count[op] == 0)
        turn(m, op, half_angle(op, angles));
      else
        jump(m, op, reduced, uniforms[c_.uniform[op]]);
    }
    R by_inputs[64];
    for (int o = 0; o < 4; ++o)
      for (int i = 0; i < 4; ++i) {
        const R re = static_cast<R>(m.at[o][i].re), im = static_cast<R>(m.at[o][i].im);
        by_inputs[8 * i + o] = re, by_inputs[8 * (i + 4) + o] = -im;
        by_inputs[8 * i + o + 4] = im, by_inputs[8 * (i + 4) + o + 4] = re;
      }
    split(g.tiles, kTilesPerThread, threads_,
          [&](int, u64 from, u64 to) { kernels_.pair_apply(psi_, g, from, to, by_inputs); });
  }

  Matrix density(const SuperopGeometry& g) const {
    std::vector<double> parts(64 * static_cast<std::size_t>(threads_));
    split(g.tiles, kTilesPerThread, threads_, [&](int part, u64 from, u64 to) {
      kernels_.pair_transition(psi_, psi_, g, from, to, parts.data() + 64 * part);
    });
    double sums[64] = {};
    for (std::size_t i = 0; i < parts.size(); ++i) sums[i % 64] += parts[i];
    Matrix m;
    for (int a = 0; a < 4; ++a)
      for (int b = 0; b < 4; ++b)
        m.at[a][b] = {sums[8 * a + b] + sums[8 * (a + 4) + b + 4], sums[8 * (a + 4) + b] - sums[8 * a + b + 4]};
    return m;
  }

  void turn(Matrix& m, i64 op, double h) const {
    const u64 x = static_cast<u64>(c_.x[op]), z = static_cast<u64>(c_.z[op]);
    const double cosine = std::cos(h);
    const Number f = turning(x, z, std::sin(h));
    Matrix turned;
    for (u64 row = 0; row < 4; ++row) {
      const double sign = parity(z & (row ^ x)) ? -1 : 1;
      for (int i = 0; i < 4; ++i) {
        turned.at[row][i] = {cosine * m.at[row][i].re, cosine * m.at[row][i].im};
        add(turned.at[row][i], times({sign * f.re, sign * f.im}, m.at[row ^ x][i]));
      }
    }
    m = turned;
  }

  void jump(Matrix& m, i64 op, const Matrix& reduced, double uniform) {
    const std::size_t first = static_cast<std::size_t>(c_.first[op]), count = static_cast<std::size_t>(c_.count[op]);
    p_.resize(count);
    const Matrix now = c_.fixed[op] ? Matrix() : product(product(m, reduced), adjoint(m));
    double total = 0;
    for (std::size_t k = 0; k < count; ++k) {
      const Matrix& effect = effects_[first + k];
      p_[k] = c_.fixed[op] ? effect.at[0][0].re : 0;
      for (int i = 0; i < 4 && !c_.fixed[op]; ++i)
        for (int j = 0; j < 4; ++j) p_[k] += times(effect.at[i][j], now.at[j][i]).re;
      total += std::max(p_[k], 0.0);
    }
    std::size_t which = 0;
    double end = 0;
    for (std::size_t k = 0; k + 1 < count; ++k) which += uniform * total >= (end += std::max(p_[k], 0.0));
    // Rounding must not choose what cannot happen.
    if (!(p_[which] > 0)) which = static_cast<std::size_t>(std::max_element(p_.begin(), p_.end()) - p_.begin());
    m = product(operators_[first + which], m);
    const double factor = 1 / std::sqrt(p_[which]);
    for (auto& row : m.at)
      for (Number& a : row) a.re *= factor, a.im *= factor;
  }

  const Kernels<R>& kernels_;
  const JumpCircuit& c_;
  const std::vector<Matrix>&operators_, &effects_;
  R* const psi_;
  const u64 half_;
  const int threads_;
  std::vector<double> p_;
};

}  // namespace

template <class R>
Status trajectories(const JumpCircuit& c, i64 count, const double* angles, i64 angles_in_row, const double* uniforms,
                    i64 uniforms_in_row, std::complex<R>* out) {
  std::vector<Matrix> operators(static_cast<std::size_t>(c.num_operators)), effects;
  for (std::size_t k = 0; k < operators.size(); ++k) {
    for (std::size_t i = 0; i < 16; ++i)
      operators[k].at[i / 4][i % 4] = {c.operators[32 * k + 2 * i], c.operators[32 * k + 2 * i + 1]};
    effects.push_back(product(adjoint(operators[k]), operators[k]));
  }
  const int parts = static_cast<int>(std::max<i64>(1, std::min<i64>(num_threads(), count)));
  const std::size_t size = Trajectory<R>::numbers(c);
  Block<R> memory(size * static_cast<std::size_t>(parts));
  if (!memory.data()) return Status::kOutOfMemory;
  const CancelToken cancel;
  // A single one has all threads.
  const int threads = parts > 1 ? 1 : num_threads();
  parallel(parts, [&](int part) {
    Trajectory<R> one(c, operators, effects, memory.data() + size * static_cast<std::size_t>(part), threads);
    for (i64 t = part; t < count && !cancel.cancelled(); t += parts)
      one.run(angles + t * angles_in_row, uniforms + t * uniforms_in_row, out + (t << c.out_qubits));
  });
  return cancel.cancelled() ? Status::kCancelled : Status::kOk;
}

template Status trajectories<float>(const JumpCircuit&, i64, const double*, i64, const double*, i64, std::complex<float>*);
template Status trajectories<double>(const JumpCircuit&, i64, const double*, i64, const double*, i64,
                                     std::complex<double>*);

std::string parse_jumps(const void* data, std::size_t size, JumpCircuit* c) {
  if (reinterpret_cast<std::uintptr_t>(data) % 8 || size < 64) return "jumps are not aligned";
  const i64* h = static_cast<const i64*>(data);
  if (h[0] != kJumpsMagic) return "not a circuit of jumps";
  c->num_qubits = h[1], c->out_qubits = h[2], c->num_blocks = h[3], c->num_ops = h[4], c->num_angles = h[5];
  c->num_operators = h[6], c->num_uniforms = h[7];
  const i64 most = static_cast<i64>(size / 8);
  for (int i = 1; i < 8; ++i)
    if (h[i] < 0 || h[i] > most) return "header of jumps out of range";
  if (8 + 3 * c->num_blocks + 1 + 9 * c->num_ops + 32 * c->num_operators > most) return "jumps end too early";
  if (c->num_qubits < 2 || c->num_qubits > 40 || c->out_qubits > c->num_qubits) return "qubits of jumps out of range";
  const i64* at = h + 8;
  auto take = [&](i64 count) { return at += count, at - count; };
  auto numbers = [&](i64 count) { return reinterpret_cast<const double*>(take(count)); };
  c->digits = take(2 * c->num_blocks), c->offsets = take(c->num_blocks + 1);
  for (const i64** column : {&c->x, &c->z, &c->slot, &c->first, &c->count, &c->uniform, &c->fixed})
    *column = take(c->num_ops);
  c->scale = numbers(c->num_ops), c->offset = numbers(c->num_ops);
  c->operators = numbers(32 * c->num_operators);
  return "";
}

}  // namespace qcgrad
