#include "normal_form.h"

#include <cmath>
#include <iterator>

namespace qcgrad {
namespace {

using cplx = std::complex<double>;
constexpr double kPi = 3.14159265358979323846264338327950288;
constexpr int kMaxControls = 14;  // a controlled rotation becomes 2^controls commuting Pauli rotations

class Builder {
 public:
  explicit Builder(NormalForm* out) : out_(out) {}

  void linear(u64 control, u64 x) {
    NormalOp op;
    op.kind = NormalOp::kLinear;
    op.x = x;
    op.control = control;
    op.x_bits = x;
    op.z_bits = control;
    out_->ops.push_back(op);
  }

  // exp(-i t P_z / 2), diagonal. The identity string is a global phase.
  void phase(u64 z, std::int32_t slot, double scale, double offset) {
    if (z == 0) {
      out_->global_phase -= offset / 2;
      if (slot >= 0) out_->global_phase_terms.push_back({slot, -scale / 2});
      return;
    }
    if (slot < 0 && offset == 0) return;
    NormalOp op;
    op.kind = NormalOp::kPhase;
    op.first_term = static_cast<int>(out_->terms.size());
    op.num_terms = 1;
    op.z_bits = z;
    out_->terms.push_back({0, z, slot, scale, offset});
    out_->ops.push_back(op);
  }

  void begin_rotation(u64 x) {
    NormalOp op;
    op.kind = NormalOp::kRotate;
    op.x = x;
    op.first_term = static_cast<int>(out_->terms.size());
    out_->ops.push_back(op);
  }
  void rotation_term(u64 z, std::int32_t slot, double scale, double offset) {
    NormalOp& op = out_->ops.back();
    ++op.num_terms;
    op.z_bits |= z & ~op.x;
    op.mixed_bits |= z & op.x;
    op.x_bits = op.x & ~op.mixed_bits;
    out_->terms.push_back({op.x, z, slot, scale, offset});
  }

  // A whole PAULI row: the control projector is prod_c (1 - Z_c)/2 = 2^-w sum_u (-1)^|u| Z_u.
  void pauli(u64 x, u64 z, u64 ctrl, int kappa, std::int32_t slot, double scale, double offset) {
    if (slot < 0 && offset == 0) return;
    const int w = popcount(ctrl);
    if (slot < 0 && offset == kPi && kappa == 1 && x != 0) {
      // exp(-i pi (P - 1)/2) = P exactly, so constants make permutations and signs without rounding.
      if (w == 0) {
        if (z) phase_pi(z, popcount(x & z));
        linear(0, x);
        return;
      }
      if (w == 1 && z == 0) {
        linear(ctrl, x);
        return;
      }
    }
    const double weight = std::ldexp(1.0, -w);
    if (x) begin_rotation(x);
    for_each_subset(ctrl, [&](u64 u) {
      const double f = popcount(u) & 1 ? -weight : weight;
      if (x)
        rotation_term(z ^ u, slot, f * scale, f * offset);
      else
        phase(z ^ u, slot, f * scale, f * offset);
    });
    if (kappa)
      for_each_subset(ctrl, [&](u64 u) {
        const double f = popcount(u) & 1 ? weight : -weight;
        phase(u, slot, f * scale, f * offset);
      });
  }

  // One-qubit unitary as exp(i delta) Rz(alpha) Ry(beta) Rz(gamma).
  void one_qubit(int bit, const cplx* u) {
    const cplx det = u[0] * u[3] - u[1] * u[2];
    const cplx root = std::sqrt(det);
    const cplx a = u[0] / root, b = u[2] / root;
    const u64 q = u64{1} << bit;
    double beta = 2 * std::atan2(std::abs(b), std::abs(a));
    double sum = std::abs(a) > 1e-15 ? -2 * std::arg(a) : 0;
    double diff = std::abs(b) > 1e-15 ? 2 * std::arg(b) : 0;
    if (std::abs(a) <= 1e-15) beta = kPi, sum = 0;
    if (std::abs(b) <= 1e-15) beta = 0, diff = 0;
    phase(q, -1, 0, (sum - diff) / 2);
    if (beta != 0) {
      begin_rotation(q);
      rotation_term(q, -1, 0, beta);
    }
    phase(q, -1, 0, (sum + diff) / 2);
    out_->global_phase += std::arg(root);
  }

  void matrix(const std::vector<int>& wires, const cplx* u) {
    const int k = static_cast<int>(wires.size());
    const int dim = 1 << k;
    if (k == 1) return one_qubit(wires[0], u);
    bool diagonal = true;
    for (int r = 0; r < dim && diagonal; ++r)
      for (int c = 0; c < dim; ++c)
        if (r != c && u[r * dim + c] != cplx(0)) diagonal = false;
    if (diagonal) return diagonal_matrix(wires, u);
    if (k == 2 && is_swap(u)) {
      const u64 a = u64{1} << wires[0], b = u64{1} << wires[1];
      linear(a, b), linear(b, a), linear(a, b);
      return;
    }
    NormalOp op;
    op.kind = NormalOp::kDense;
    op.wires = wires;
    op.matrix.assign(u, u + dim * dim);
    for (int w : wires) op.mixed_bits |= u64{1} << w;
    op.x = op.mixed_bits;
    out_->ops.push_back(op);
  }

 private:
  // The part i^y Z^z of a Pauli string seen as an operator (applied before X^x), y = |x & z|.
  void phase_pi(u64 z, int y) {
    // exp(-i pi Z_z / 2) = -i Z_z.
    phase(z, -1, 0, kPi);
    out_->global_phase += kPi / 2 * (1 + y);
  }

  template <class F>
  static void for_each_subset(u64 mask, F f) {
    u64 u = 0;
    do {
      f(u);
      u = (u - mask) & mask;
    } while (u);
  }

  static bool is_swap(const cplx* u) {
    const int image[4] = {0, 2, 1, 3};
    for (int r = 0; r < 4; ++r)
      for (int c = 0; c < 4; ++c)
        if (u[r * 4 + c] != cplx(image[r] == c ? 1 : 0)) return false;
    return true;
  }

  // diag(exp(i phi_j)) = exp(-i sum_z t_z Z_z / 2) with t the Walsh transform of -2 phi / dim.
  void diagonal_matrix(const std::vector<int>& wires, const cplx* u) {
    const int k = static_cast<int>(wires.size());
    const int dim = 1 << k;
    for (int f = 0; f < dim; ++f) {
      double t = 0;
      for (int j = 0; j < dim; ++j) t += (parity32(f & j) ? 2.0 : -2.0) * std::arg(u[j * dim + j]) / dim;
      u64 z = 0;
      for (int w = 0; w < k; ++w)
        if ((f >> (k - 1 - w)) & 1) z |= u64{1} << wires[w];
      if (std::abs(t) > 1e-17) phase(z, -1, 0, t);
    }
  }

  NormalForm* out_;
};

}  // namespace

AffineMap strip_final_permutation(NormalForm* form) {
  AffineMap map;
  for (int k = 0; k < form->num_qubits; ++k) map.column.push_back(u64{1} << k);
  std::vector<NormalOp> kept;
  Skipped after;
  // Backwards: a permutation leaves if it commutes with everything kept after it.
  for (auto op = form->ops.rbegin(); op != form->ops.rend(); ++op) {
    if (op->kind == NormalOp::kLinear && !after.blocks(*op)) {
      // map = map after op: j -> map(j xor x [control . j]).
      u64 image = 0;
      for (u64 b = op->x; b; b &= b - 1) image ^= map.column[lowest_bit(b)];
      if (op->control)
        map.column[lowest_bit(op->control)] ^= image;
      else
        map.shift ^= image;
      continue;
    }
    after.add(*op);
    kept.push_back(std::move(*op));
  }
  form->ops.assign(std::make_move_iterator(kept.rbegin()), std::make_move_iterator(kept.rend()));
  return map;
}

std::string normalise(const OpTable& table, NormalForm* out) {
  const int n = table.num_qubits;
  if (n < 1 || n > 31) return "num_qubits out of range";
  *out = NormalForm();
  out->num_qubits = n;
  out->num_angles = table.num_angles;
  Builder builder(out);
  const u64 all = (u64{1} << n) - 1;
  std::vector<int> wires;
  for (i64 i = 0; i < table.num_ops; ++i) {
    if (table.kind[i] == kOpPadding) continue;
    if (table.kind[i] == kOpMatrix) {
      wires.clear();
      u64 seen = 0;
      for (int w = 0; w < table.max_wires; ++w) {
        const int bit = table.wires[i * table.max_wires + w];
        if (bit < 0) continue;
        if (bit >= n || ((seen >> bit) & 1)) return "matrix wire out of range or repeated";
        seen |= u64{1} << bit;
        wires.push_back(bit);
      }
      const i64 size = i64{1} << (2 * wires.size());
      const i64 start = table.matrix_offset[i];
      if (wires.empty() || wires.size() > 10) return "matrix on an unsupported number of wires";
      if (start < 0 || start + size > table.matrices_size) return "matrix outside the table";
      builder.matrix(wires, reinterpret_cast<const std::complex<double>*>(table.matrices) + start);
      continue;
    }
    if (table.kind[i] != kOpPauli) return "unknown operation kind";
    const u64 x = table.x[i], z = table.z[i], ctrl = table.ctrl[i];
    if (((x | z | ctrl) & ~all) || (ctrl & (x | z))) return "operation mask out of range";
    if (popcount(ctrl) > kMaxControls) return "too many control qubits";
    if (table.slot[i] >= table.num_angles) return "angle slot out of range";
    builder.pauli(x, z, ctrl, table.kappa[i], table.slot[i], table.scale[i], table.offset[i]);
  }
  return "";
}

}  // namespace qcgrad
