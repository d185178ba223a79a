#include "tile_runner.h"

#include <cmath>

namespace qcgrad {
namespace {

constexpr double kPi = 3.14159265358979323846264338327950288;
// Pair rotations leave out a common factor (see native.md); below this it is multiplied back in.
template <class R>
constexpr double kSmallestScale = sizeof(R) == 4 ? 1e-4 : 1e-12;

}  // namespace

void Angles::evaluate(const NormalForm& form, const double* angles) {
  const std::size_t count = form.terms.size();
  half.resize(count);
  cosine.resize(count);
  sine.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const PauliTerm& t = form.terms[i];
    set(i, 0.5 * (t.slot >= 0 ? t.scale * angles[t.slot] + t.offset : t.offset));
  }
  phase = form.global_phase;
  for (const auto& p : form.global_phase_terms) phase += p.second * angles[p.first];
}

void Angles::set(std::size_t term, double half_angle) {
  if (!(std::fabs(half_angle) < 2 * kPi)) half_angle = std::remainder(half_angle, 2 * kPi);
  half[term] = half_angle;
  cosine[term] = std::cos(half_angle);
  sine[term] = std::sin(half_angle);
}

template <class R>
bool TileRunner<R>::prepare(const Kernels<R>* kernels, int tile_bits, std::size_t terms, const CancelToken* cancel) {
  k_ = kernels;
  cancel_ = cancel;
  const std::size_t size = std::size_t{1} << tile_bits;
  // psi and lambda are read together: a few cache lines of padding keep their rows off the same cache sets.
  const std::size_t pad = 320 / sizeof(R), stride = 2 * size + pad;
  const std::size_t table_pad = 64 / sizeof(R);
  if (!tiles_.reset(4 * stride) || !low_.reset(2 * size + table_pad) || !high_.reset(2 * size + table_pad) ||
      !sum_low_.reset(size + table_pad) || !sum_high_.reset(size + table_pad) || !table_.reset(2 * size) ||
      !second_table_.reset(2 * size) || !values_.reset(2 * size + 8))
    return false;
  psi_[0] = tiles_.data();
  lambda_[0] = psi_[0] + stride;
  psi_[1] = lambda_[0] + stride;
  lambda_[1] = psi_[1] + stride;
  now_ = 0;
  sums_.assign(terms, 0.0);
  return true;
}

template <class R>
void TileRunner<R>::renormalise(bool grad, double* scale) {
  const std::size_t size = std::size_t{2} << m_;
  k_->scale(psi_[now_], size, *scale);
  if (grad) k_->scale(lambda_[now_], size, *scale);
  *scale = 1;
}

template <class R>
void TileRunner<R>::lane_moves(const LinearStep& step, R* data, bool back) {
  const std::size_t count = step.moves.size();
  for (std::size_t i = 0; i < count; ++i) {
    const LaneMove& move = step.moves[back ? count - 1 - i : i];
    if (move.row_controlled)
      k_->lane_flip(data, m_, move.row_mask, 0, move.lane_mask);
    else
      k_->lane_control(data, m_, move.lane_mask, 0, move.row_mask);
  }
}

template <class R>
RowMap TileRunner<R>::row_map(const LinearStep& step, u64 base, bool inverse) const {
  u32 shift = 0;
  for (int k = 0; k < m_; ++k) shift |= tile_parity(step.shift[k], base) << k;
  const u32 moved = inverse ? shift : step.inverse.apply(shift);
  RowMap map;
  map.rows = (inverse ? step.backward_rows : step.forward_rows).data();
  map.shift = ((moved >> k_->lanes) << 5) | (moved & ((u32{1} << k_->lanes) - 1));
  map.lanes = (inverse ? step.backward_lanes : step.forward_lanes).data();
  map.plain = step.plain_lanes;
  return map;
}

template <class R>
void TileRunner<R>::linear(const LinearStep& step, u64 base, bool back) {
  const RowMap map = row_map(step, base, back);
  for (R** pair : {psi_, lambda_}) {
    if (pair == lambda_ && !back) break;
    if (!back) lane_moves(step, pair[now_], false);
    k_->row_map(pair[now_], pair[1 - now_], m_, map);
    if (back) lane_moves(step, pair[1 - now_], true);
  }
  now_ = 1 - now_;
}

// Whether the step needs one table at most, so that it is a single sweep over the tile.
template <class R>
static bool one_sweep(const PhaseStep& step, const FixedTables<R>& fixed) {
  return step.fixed.empty() || step.moving.empty() || !fixed.enabled;
}

template <class R>
template <bool GRAD>
double TileRunner<R>::run(const Pass& pass, const NormalForm& form, const Angles& angles,
                          const FixedTables<R>& fixed, u64 base, double scale, std::size_t begin, std::size_t end) {
  m_ = pass.shape.bits;
  const std::size_t count = pass.steps.size();
  for (std::size_t i = begin; i < end; ++i) {
    const Step& step = pass.steps[GRAD ? count - 1 - i : i];
    if (cancel_->cancelled()) break;
    switch (step.kind) {
      case Step::kRotate1:
      case Step::kRotate2:
      case Step::kLanes:
        rotate(pass, step, angles, base, GRAD, &scale);
        break;
      case Step::kPhase: {
        // Backwards the permutation comes after the phases; see kLinear for forwards.
        const Step* const before = GRAD && i + 1 < count ? &pass.steps[count - 2 - i] : nullptr;
        const bool join = before && before->kind == Step::kLinear && one_sweep(pass.phases[step.a], fixed);
        phase(pass.phases[step.a], join ? &pass.linears[before->a] : nullptr, angles, fixed, base, GRAD, &scale);
        i += join;
        break;
      }
      case Step::kGroup:
        group(pass.groups[step.a], angles, fixed, base, GRAD, scale);
        break;
      case Step::kLinear: {
        const Step* const after = !GRAD && i + 1 < end ? &pass.steps[i + 1] : nullptr;
        if (after && after->kind == Step::kPhase && one_sweep(pass.phases[after->a], fixed)) {
          phase(pass.phases[after->a], &pass.linears[step.a], angles, fixed, base, GRAD, &scale);
          ++i;
        } else {
          linear(pass.linears[step.a], base, GRAD);
        }
        break;
      }
      case Step::kDense: {
        const DenseStep& d = pass.denses[step.a];
        DenseArgs<R> g;
        g.tile_bits = m_;
        g.num_bits = static_cast<int>(d.bits.size());
        g.bits = d.bits.data();
        g.matrix = reinterpret_cast<const double*>(form.ops[d.op].matrix.data());
        g.adjoint = GRAD;
        k_->dense(psi_[now_], g);
        if (GRAD) k_->dense(lambda_[now_], g);
        break;
      }
    }
    if (std::fabs(scale) < kSmallestScale<R>) renormalise(GRAD, &scale);
  }
  return scale;
}

template <class R>
double TileRunner<R>::forward(const Pass& pass, const NormalForm& form, const Angles& angles,
                              const FixedTables<R>& fixed, u64 base, double scale) {
  return run<false>(pass, form, angles, fixed, base, scale, 0, pass.steps.size());
}

template <class R>
double TileRunner<R>::forward_steps(const Pass& pass, const NormalForm& form, const Angles& angles,
                                    const FixedTables<R>& fixed, u64 base, double scale, std::size_t begin,
                                    std::size_t end) {
  return run<false>(pass, form, angles, fixed, base, scale, begin, end);
}

template <class R>
double TileRunner<R>::backward(const Pass& pass, const NormalForm& form, const Angles& angles,
                               const FixedTables<R>& fixed, u64 base, double scale) {
  return run<true>(pass, form, angles, fixed, base, scale, 0, pass.steps.size());
}

template class TileRunner<float>;
template class TileRunner<double>;

}  // namespace qcgrad
