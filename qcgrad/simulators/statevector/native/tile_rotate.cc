// Exponentials that flip bits, one or a few to a sweep over a tile.
#include <cmath>

#include "tile_runner.h"

namespace qcgrad {

template <class R>
void TileRunner<R>::rotate1(const Rotation& r, const Angles& angles, u64 base, bool grad, double* scale) {
  Rotate1Args g;
  g.flip = r.flip;
  g.sign = r.sign;
  g.parity = tile_parity(r.outer, base);
  g.c = angles.cosine[r.term];
  g.s = (grad ? -r.sigma : r.sigma) * angles.sine[r.term];
  const double before = *scale;
  g.unit = std::fabs(g.s) <= std::fabs(g.c);
  if (g.unit) {
    *scale *= g.c;
    g.s /= g.c;
    g.c = 1;
  }
  const double sum = k_->rotate1(psi_[now_], lambda_[now_], m_, g, grad);
  if (grad) sums_[r.term] += r.sigma * before * before * sum;
}

template <class R>
void TileRunner<R>::rotate2(const Rotation& a, const Rotation& b, bool crossed, const Angles& angles, u64 base,
                            bool grad, double* scale) {
  Rotate2Args g;
  g.flip1 = a.flip, g.sign1 = a.sign, g.parity1 = tile_parity(a.outer, base);
  g.flip2 = b.flip, g.sign2 = b.sign, g.parity2 = tile_parity(b.outer, base);
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
  k_->rotate2(psi_[now_], lambda_[now_], m_, g, grad, sum, &prefetch_);
  if (grad) {
    sums_[a.term] += a.sigma * before * before * sum[0];
    sums_[b.term] += b.sigma * before * before * sum[1];
  }
}

template <class R>
void TileRunner<R>::rotate_lanes(const Pass& pass, const Step& step, const Angles& angles, u64 base, bool grad,
                                 double* scale) {
  LaneRotation g[4] = {};
  double sum[4] = {}, before[4] = {};
  bool unit = true;
  for (int lane = 0; lane < k_->lanes; ++lane) {
    if (step.lanes[lane] < 0) continue;
    const Rotation& r = pass.rotations[step.lanes[lane]];
    g[lane].active = true;
    g[lane].sign = r.sign;
    g[lane].parity = tile_parity(r.outer, base);
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
  k_->rotate_lanes(psi_[now_], lambda_[now_], m_, g, unit, grad, sum);
  if (grad)
    for (int lane = 0; lane < k_->lanes; ++lane)
      if (step.lanes[lane] >= 0) {
        const Rotation& r = pass.rotations[step.lanes[lane]];
        sums_[r.term] += r.sigma * before[lane] * before[lane] * sum[lane];
      }
}

template <class R>
void TileRunner<R>::rotate(const Pass& pass, const Step& step, const Angles& angles, u64 base, bool grad,
                           double* scale) {
  if (step.kind == Step::kRotate1)
    rotate1(pass.rotations[step.a], angles, base, grad, scale);
  else if (step.kind == Step::kRotate2)
    rotate2(pass.rotations[step.a], pass.rotations[step.b], step.crossed, angles, base, grad, scale);
  else
    rotate_lanes(pass, step, angles, base, grad, scale);
}

template void TileRunner<float>::rotate(const Pass&, const Step&, const Angles&, u64, bool, double*);
template void TileRunner<double>::rotate(const Pass&, const Step&, const Angles&, u64, bool, double*);

}  // namespace qcgrad
