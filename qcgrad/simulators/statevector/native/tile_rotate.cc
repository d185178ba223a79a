// Exponentials that flip bits, one or a few to a sweep over a tile or over parts of it.
#include <cmath>

#include "tile_runner.h"

namespace qcgrad {

template <class R>
void TileRunner<R>::renormalise(const Part& part, bool grad, double* scale) {
  const std::size_t size = std::size_t{2} << part.bits;
  k_->scale(part.psi, size, *scale);
  if (grad) k_->scale(part.lambda, size, *scale);
  *scale = 1;
}

template <class R>
void TileRunner<R>::rotate1(const Rotation& r, const Angles& angles, const Part& part, bool grad, double* scale) {
  Rotate1Args g;
  g.flip = r.flip;
  g.sign = r.sign;
  g.parity = part.parity(r);
  g.c = angles.cosine[r.term];
  g.s = (grad ? -r.sigma : r.sigma) * angles.sine[r.term];
  const double before = *scale;
  g.unit = std::fabs(g.s) <= std::fabs(g.c);
  if (g.unit) {
    *scale *= g.c;
    g.s /= g.c;
    g.c = 1;
  }
  const double sum = k_->rotate1(part.psi, part.lambda, part.bits, g, grad);
  if (grad) sums_[r.term] += r.sigma * before * before * sum;
}

template <class R>
void TileRunner<R>::rotate2(const Rotation& a, const Rotation& b, bool crossed, const Angles& angles, const Part& part,
                            bool grad, double* scale) {
  Rotate2Args g;
  g.flip1 = a.flip, g.sign1 = a.sign, g.parity1 = part.parity(a);
  g.flip2 = b.flip, g.sign2 = b.sign, g.parity2 = part.parity(b);
  g.crossed = crossed;
  const double before = *scale;
  auto split = [&](const Rotation& r, double* t, bool* cotangent) {
    const double c = angles.cosine[r.term], s = (grad ? -r.sigma : r.sigma) * angles.sine[r.term];
    *cotangent = std::fabs(s) > std::fabs(c);
    *t = *cotangent ? c / s : s / c;
    *scale *= *cotangent ? s : c;
  };
  split(a, &g.t1, &g.cotangent1);
  split(b, &g.t2, &g.cotangent2);
  double sum[2];
  k_->rotate2(part.psi, part.lambda, part.bits, g, grad, sum, &prefetch_);
  if (grad) {
    sums_[a.term] += a.sigma * before * before * sum[0];
    sums_[b.term] += b.sigma * before * before * sum[1];
  }
}

template <class R>
void TileRunner<R>::rotate_lanes(const Pass& pass, const Step& step, const Angles& angles, const Part& part, bool grad,
                                 double* scale) {
  LaneRotation g[4] = {};
  double sum[4] = {}, before[4] = {};
  bool unit = true;
  for (int lane = 0; lane < k_->lanes; ++lane) {
    if (step.lanes[lane] < 0) continue;
    const Rotation& r = pass.rotations[step.lanes[lane]];
    g[lane].active = true;
    g[lane].sign = r.sign;
    g[lane].parity = part.parity(r);
    g[lane].c = angles.cosine[r.term];
    g[lane].s = (grad ? -r.sigma : r.sigma) * angles.sine[r.term];
    unit = unit && std::fabs(g[lane].s) <= std::fabs(g[lane].c);
  }
  for (int lane = 0; lane < k_->lanes; ++lane) {
    before[lane] = *scale;
    if (!unit || !g[lane].active) continue;
    *scale *= g[lane].c;
    g[lane].s /= g[lane].c;
    g[lane].c = 1;
  }
  k_->rotate_lanes(part.psi, part.lambda, part.bits, g, unit, grad, sum);
  if (grad)
    for (int lane = 0; lane < k_->lanes; ++lane)
      if (step.lanes[lane] >= 0) {
        const Rotation& r = pass.rotations[step.lanes[lane]];
        sums_[r.term] += r.sigma * before[lane] * before[lane] * sum[lane];
      }
}

template <class R>
void TileRunner<R>::rotate(const Pass& pass, const Step& step, const Angles& angles, const Part& part, bool grad,
                           double* scale) {
  if (step.kind == Step::kRotate1)
    rotate1(pass.rotations[step.a], angles, part, grad, scale);
  else if (step.kind == Step::kRotate2)
    rotate2(pass.rotations[step.a], pass.rotations[step.b], step.crossed, angles, part, grad, scale);
  else
    rotate_lanes(pass, step, angles, part, grad, scale);
  if (std::fabs(*scale) < kSmallestScale<R>) renormalise(part, grad, scale);
}

template <class R>
template <bool GRAD>
double TileRunner<R>::rotate_parts(const Pass& pass, const Angles& angles, u64 base, double scale, std::size_t begin,
                                   std::size_t end) {
  constexpr int bits = kPartBits<R, GRAD>;
  const std::size_t count = pass.steps.size();
  double left = scale;
  for (u32 at = 0; at < (u32{2} << m_) && !cancel_->cancelled(); at += u32{1} << bits) {
    left = scale;  // the same after every part
    for (std::size_t i = begin; i < end; ++i)
      rotate(pass, pass.steps[GRAD ? count - 1 - i : i], angles, part(bits - 1, at, base), GRAD, &left);
  }
  return left;
}

#define QCGRAD_INSTANTIATE(R)                                                                                       \
  template void TileRunner<R>::renormalise(const Part&, bool, double*);                                             \
  template void TileRunner<R>::rotate(const Pass&, const Step&, const Angles&, const Part&, bool, double*);         \
  template double TileRunner<R>::rotate_parts<false>(const Pass&, const Angles&, u64, double, std::size_t, std::size_t); \
  template double TileRunner<R>::rotate_parts<true>(const Pass&, const Angles&, u64, double, std::size_t, std::size_t);
QCGRAD_INSTANTIATE(float)
QCGRAD_INSTANTIATE(double)
#undef QCGRAD_INSTANTIATE

}  // namespace qcgrad
