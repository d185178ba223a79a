#include "program.h"

namespace qcgrad {
namespace {

constexpr int kGroupThreshold = 4;  // exponentials with equal flips from which a table of angles pays

class ProgramBuilder {
 public:
  ProgramBuilder(const NormalForm& form, int lanes, Pass* pass)
      : form_(form), lanes_(lanes), pass_(*pass), m_(pass->shape.bits), base_mask_(kConstBit) {
    for (int bit : pass->shape.outer) base_mask_ |= u64{1} << bit;
    reset_frame();
  }

  void run(const std::vector<int>& ops) {
    std::vector<int> list = ops, rest, taken;
    // Diagonal, then flipping, then permuting operations, as many of each as may be brought forward.
    while (!list.empty()) {
      for (NormalOp::Kind kind : {NormalOp::kPhase, NormalOp::kRotate, NormalOp::kDense, NormalOp::kLinear}) {
        collect(kind, list, &taken, &rest);
        if (!taken.empty()) emit(kind, taken);
        list.swap(rest);
      }
    }
    realise_frame();
  }

 private:
  void collect(NormalOp::Kind kind, const std::vector<int>& list, std::vector<int>* taken, std::vector<int>* rest) {
    taken->clear();
    rest->clear();
    Skipped skipped;
    const u64 all = (u64{1} << form_.num_qubits) - 1;
    for (std::size_t i = 0; i < list.size(); ++i) {
      const NormalOp& op = form_.ops[list[i]];
      if (op.kind == kind && !skipped.blocks(op)) {
        taken->push_back(list[i]);
        if (kind == NormalOp::kDense) {  // one at a time: it is expensive anyway
          rest->insert(rest->end(), list.begin() + i + 1, list.end());
          return;
        }
      } else {
        skipped.add(op);
        rest->push_back(list[i]);
        if (skipped.mixed == all) {
          rest->insert(rest->end(), list.begin() + i + 1, list.end());
          return;
        }
      }
    }
  }

  void emit(NormalOp::Kind kind, const std::vector<int>& ops) {
    switch (kind) {
      case NormalOp::kPhase:
        realise_frame();
        emit_phases(ops);
        break;
      case NormalOp::kRotate:
        emit_rotations(ops);
        break;
      case NormalOp::kDense:
        realise_frame();
        emit_dense(ops[0]);
        break;
      case NormalOp::kLinear:
        for (int i : ops) apply_linear(form_.ops[i]);
        break;
    }
  }

  // ---- the frame: logical index l = frame_ p xor shift_, p where the amplitude sits in the tile ----
  void reset_frame() {
    frame_ = BitMatrix::identity(m_);
    frame_inverse_ = frame_;
    shift_.assign(m_, 0);
  }
  bool frame_is_trivial() const {
    for (u64 s : shift_)
      if (s) return false;
    return frame_.is_identity();
  }
  void realise_frame() {
    if (frame_is_trivial()) return;
    Step step;
    step.kind = Step::kLinear;
    step.a = static_cast<int>(pass_.linears.size());
    pass_.linears.push_back(make_linear_step(frame_, shift_, lanes_));
    pass_.steps.push_back(step);
    reset_frame();
  }
  void apply_linear(const NormalOp& op) {
    u32 x = 0;
    coordinates(pass_.shape.generators, op.x, &x);
    const u32 control = op.control ? pass_.shape.form(op.control) : 0;
    u64 outer = op.control ? (op.control & base_mask_) : kConstBit;
    for (u32 c = control; c; c &= c - 1) outer ^= shift_[__builtin_ctz(c)];
    const u32 inverse_x = frame_inverse_.apply(x);
    for (int k = 0; k < m_; ++k) {
      if (parity32(control & frame_.col[k])) frame_.col[k] ^= x;
      if ((control >> k) & 1) frame_inverse_.col[k] ^= inverse_x;
    }
    for (int k = 0; k < m_; ++k)
      if ((x >> k) & 1) shift_[k] ^= outer;
  }
  u32 flip_in_tile(u64 x) const {
    u32 l = 0;
    coordinates(pass_.shape.generators, x, &l);
    return frame_inverse_.apply(l);
  }
  u32 form_in_tile(u64 z, u64* outer) const {
    const u32 l = pass_.shape.form(z);
    *outer = z & base_mask_;
    for (u32 c = l; c; c &= c - 1) *outer ^= shift_[__builtin_ctz(c)];
    return frame_.pull_back(l);
  }

  // ---- diagonal exponentials ----
  PhaseTerm phase_term(int term, u64 z) const {
    PhaseTerm p;
    p.term = term;
    p.form = form_in_tile(z, &p.outer);
    if (p.outer & kConstBit) p.sigma = -1, p.outer ^= kConstBit;
    return p;
  }
  void emit_phases(const std::vector<int>& ops) {
    PhaseStep phase;
    for (int i : ops) {
      const int t = form_.ops[i].first_term;
      PhaseTerm p = phase_term(t, form_.terms[t].z);
      if (popcount(p.form) <= 1)
        phase.product.push_back(p);
      else if (p.outer == 0)
        phase.fixed.push_back(p);
      else
        phase.moving.push_back(p);
    }
    if (!phase.fixed.empty()) phase.fixed_table = pass_.num_fixed_tables++;
    Step step;
    step.kind = Step::kPhase;
    step.a = static_cast<int>(pass_.phases.size());
    pass_.phases.push_back(std::move(phase));
    pass_.steps.push_back(step);
  }

  // ---- flipping exponentials ----
  Rotation rotation(int term) const {
    const PauliTerm& t = form_.terms[term];
    const int y = popcount(t.x & t.z);
    const u32 imaginary = u32{1} << m_;
    Rotation r;
    r.term = term;
    r.flip = flip_in_tile(t.x);
    r.sign = form_in_tile(t.z, &r.outer);
    // i P as a real operator: see native.md for the signs.
    if (y & 1) {
      r.sigma = ((y + 1) / 2) & 1 ? -1 : 1;
    } else {
      r.flip |= imaginary;
      r.sign |= imaginary;
      r.sigma = (y / 2) & 1 ? -1 : 1;
    }
    if (r.outer & kConstBit) r.sigma = -r.sigma, r.outer ^= kConstBit;
    return r;
  }

  void emit_group(const NormalOp& op) {
    GroupStep group;
    const u32 imaginary = u32{1} << m_;
    for (int t = op.first_term; t < op.first_term + op.num_terms; ++t) {
      const Rotation r = rotation(t);
      group.flip = r.flip;
      group.sign = r.sign & imaginary;
      PhaseTerm p;
      p.term = t;
      p.form = r.sign & ~imaginary;
      p.outer = r.outer;
      p.sigma = r.sigma;
      if (p.outer) group.moving = true;
      group.terms.push_back(p);
    }
    if (!group.moving) group.fixed_table = pass_.num_fixed_tables++;
    Step step;
    step.kind = Step::kGroup;
    step.a = static_cast<int>(pass_.groups.size());
    pass_.groups.push_back(std::move(group));
    pass_.steps.push_back(step);
  }

  void emit_rotations(const std::vector<int>& ops) {
    std::vector<Rotation> list;
    for (int i : ops) {
      const NormalOp& op = form_.ops[i];
      if (op.num_terms >= kGroupThreshold) {
        schedule_rotations(list, lanes_, &pass_);
        list.clear();
        emit_group(op);
        continue;
      }
      for (int t = op.first_term; t < op.first_term + op.num_terms; ++t) list.push_back(rotation(t));
    }
    schedule_rotations(list, lanes_, &pass_);
  }

  void emit_dense(int index) {
    DenseStep dense;
    dense.op = index;
    for (int w : form_.ops[index].wires) {
      u32 l = 0;
      coordinates(pass_.shape.generators, u64{1} << w, &l);
      dense.bits.push_back(__builtin_ctz(l));
    }
    Step step;
    step.kind = Step::kDense;
    step.a = static_cast<int>(pass_.denses.size());
    pass_.denses.push_back(dense);
    pass_.steps.push_back(step);
  }

  const NormalForm& form_;
  const int lanes_;
  Pass& pass_;
  const int m_;
  u64 base_mask_;
  BitMatrix frame_, frame_inverse_;
  std::vector<u64> shift_;
};

}  // namespace

void make_program(const NormalForm& form, const std::vector<int>& ops, int lanes, Pass* pass) {
  ProgramBuilder(form, lanes, pass).run(ops);
}

}  // namespace qcgrad
