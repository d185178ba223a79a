// The steps of a tile program that use tables over the tile: diagonal phases and grouped rotations.
#include <algorithm>
#include <cstring>

#include "tile_runner.h"

namespace qcgrad {

template <class R>
void TileRunner<R>::begin_fixed(const Pass& pass) {
  fixed_stride_ = std::size_t{1} << pass.shape.bits;
  const std::size_t tables = static_cast<std::size_t>(pass.num_fixed_tables);
  fixed_sums_.reset(std::max<std::size_t>(1, fixed_stride_ * tables));
  std::memset(fixed_sums_.data(), 0, fixed_stride_ * tables * sizeof(double));
  fixed_scale_.assign(tables, 0.0);
}

template <class R>
void TileRunner<R>::build_table(const std::vector<PhaseTerm>& terms, const Angles& angles, u64 base, int tile_bits,
                                double factor, R* out) {
  const std::size_t size = std::size_t{1} << tile_bits;
  double* const v = values_.data();
  std::memset(v, 0, size * sizeof(double));
  for (const PhaseTerm& t : terms) {
    const double h = factor * t.sigma * angles.half[t.term];
    v[t.form] += tile_parity(t.outer, base) ? -h : h;
  }
  k_->walsh(v, tile_bits);
  k_->cos_sin(v, size, out);
}

template <class R>
void TileRunner<R>::add_moving(const std::vector<PhaseTerm>& terms, u64 base, double weight) {
  k_->walsh(values_.data(), m_);
  for (const PhaseTerm& t : terms) {
    const double g = weight * t.sigma * values_.data()[t.form];
    sums_[t.term] += tile_parity(t.outer, base) ? -g : g;
  }
}

template <class R>
void TileRunner<R>::phase(const PhaseStep& step, const LinearStep* map, const Angles& angles, const FixedTables<R>& fixed,
                          u64 base, bool grad, double* scale) {
  const double before = *scale;
  PhaseArgs<R> g;
  g.tile_bits = m_;
  g.low_bits = std::min(m_, std::max(k_->lanes, (m_ + 1) / 2));
  const int high_bits = m_ - g.low_bits;
  // Phase of each bit when it is 0 (conjugated when it is 1), and of the tile as a whole.
  double re[33], im[33], whole_re = *scale, whole_im = 0;
  for (int k = 0; k < m_; ++k) re[k] = 1, im[k] = 0;
  for (const PhaseTerm& t : step.product) {
    double s = t.sigma * angles.sine[t.term];
    if (tile_parity(t.outer, base) == (grad ? 0u : 1u)) s = -s;
    const double c = angles.cosine[t.term];  // times exp(-i t/2): (c, -s)
    double& a = t.form ? re[lowest_bit(t.form)] : whole_re;
    double& b = t.form ? im[lowest_bit(t.form)] : whole_im;
    const double a0 = a;
    a = a0 * c + b * s;
    b = b * c - a0 * s;
  }
  *scale = 1;
  // Tables by doubling, in double precision whatever R is.
  double work_re[1 << 8], work_im[1 << 8];
  auto fill = [&](int first, int bits, double start_re, double start_im) {
    work_re[0] = start_re, work_im[0] = start_im;
    for (int k = 0; k < bits; ++k) {
      const double c = re[first + k], s = im[first + k];
      for (int j = 0, size = 1 << k; j < size; ++j) {
        const double x = work_re[j], y = work_im[j];
        work_re[j] = x * c - y * s;
        work_im[j] = x * s + y * c;
        work_re[j + size] = x * c + y * s;
        work_im[j + size] = y * c - x * s;
      }
    }
  };
  const int low_size = 1 << g.low_bits, high_size = 1 << high_bits;
  R* const low = low_.data();
  R* const high = high_.data();
  fill(0, g.low_bits, 1, 0);
  for (int j = 0; j < low_size; ++j) {
    low[j] = static_cast<R>(work_re[j]);
    low[low_size + j] = static_cast<R>(work_im[j]);
  }
  fill(g.low_bits, high_bits, whole_re, whole_im);
  for (int j = 0; j < high_size; ++j) {
    high[2 * j] = static_cast<R>(work_re[j]);
    high[2 * j + 1] = static_cast<R>(work_im[j]);
  }
  g.low = low;
  g.high = high;

  const bool product_sums = grad && !step.product.empty();
  g.sum_low = product_sums ? sum_low_.data() : nullptr;
  g.sum_high = product_sums ? sum_high_.data() : nullptr;
  // At most one table per sweep: the second, if there is one, goes in a sweep of its own afterwards.
  const bool use_fixed = !step.fixed.empty() && fixed.enabled;
  const bool single = !step.fixed.empty() && !fixed.enabled;
  std::vector<PhaseTerm> joined;
  const std::vector<PhaseTerm>* moving = &step.moving;
  if (single) {
    if (step.moving.empty()) {
      moving = &step.fixed;
    } else {
      joined = step.fixed;
      joined.insert(joined.end(), step.moving.begin(), step.moving.end());
      moving = &joined;
    }
  }
  g.table = nullptr;
  g.sum_all = nullptr;
  g.conjugate_table = grad;
  if (use_fixed) {
    g.table = fixed.tables[step.fixed_table].data();
    if (grad) {
      g.sum_all = fixed_sum(step.fixed_table);
      fixed_scale_[step.fixed_table] = before * before;
    }
  } else if (!moving->empty()) {
    build_table(*moving, angles, base, m_, -1, table_.data());
    g.table = table_.data();
    if (grad) {
      std::memset(values_.data(), 0, sizeof(double) << m_);
      g.sum_all = values_.data();
    }
  }
  g.to_psi = g.to_lambda = nullptr;
  if (map) {
    g.to_psi = psi_[1 - now_];
    g.to_lambda = lambda_[1 - now_];
    g.map = row_map(*map, base, false);
    if (!grad) lane_moves(*map, psi_[now_], false);
  }
  k_->phase(psi_[now_], grad ? lambda_[now_] : nullptr, g);
  if (map) {
    now_ = 1 - now_;
    if (grad) {
      lane_moves(*map, psi_[now_], true);
      lane_moves(*map, lambda_[now_], true);
    }
  }
  if (grad && !use_fixed && !moving->empty()) add_moving(*moving, base, before * before);
  if (product_sums) {
    double* const v = values_.data();
    auto marginals = [&](const R* sum, int bits, int first, double* total) {
      for (int j = 0; j < (1 << bits); ++j) v[j] = sum[j];
      k_->walsh(v, bits);
      *total = v[0];
      for (int k = 0; k < bits; ++k) re[first + k] = v[1 << k];
    };
    double total = 0;
    marginals(sum_low_.data(), g.low_bits, 0, &total);
    marginals(sum_high_.data(), high_bits, g.low_bits, &total);
    for (const PhaseTerm& t : step.product) {
      const double s = before * before * t.sigma * (t.form ? re[lowest_bit(t.form)] : total);
      sums_[t.term] += tile_parity(t.outer, base) ? -s : s;
    }
  }
  if (use_fixed && !step.moving.empty()) {
    // The scale is 1 by now, so the second sweep's sums need no weight.
    PhaseStep rest;
    rest.moving = step.moving;
    phase(rest, nullptr, angles, FixedTables<R>(), base, grad, scale);
  }
}

template <class R>
void TileRunner<R>::group(const GroupStep& step, const Angles& angles, const FixedTables<R>& fixed,
                          u64 base, bool grad, double scale) {
  GroupArgs<R> g;
  g.tile_bits = m_;
  g.flip = step.flip;
  g.imaginary = step.sign != 0;
  g.inverse = grad;
  g.sum_all = nullptr;
  const bool use_fixed = fixed.enabled && step.fixed_table >= 0;
  if (use_fixed) {
    g.table = fixed.tables[step.fixed_table].data();
    if (grad) {
      g.sum_all = fixed_sum(step.fixed_table);
      fixed_scale_[step.fixed_table] = scale * scale;
    }
  } else {
    build_table(step.terms, angles, base, m_, 1, table_.data());
    g.table = table_.data();
    if (grad) {
      std::memset(values_.data(), 0, sizeof(double) << m_);
      g.sum_all = values_.data();
    }
  }
  k_->group(psi_[now_], grad ? lambda_[now_] : nullptr, g);
  if (grad && !use_fixed) add_moving(step.terms, base, scale * scale);
}

#define QCGRAD_INSTANTIATE(R)                                                                                       \
  template void TileRunner<R>::begin_fixed(const Pass&);                                                            \
  template void TileRunner<R>::build_table(const std::vector<PhaseTerm>&, const Angles&, u64, int, double, R*);     \
  template void TileRunner<R>::add_moving(const std::vector<PhaseTerm>&, u64, double);                              \
  template void TileRunner<R>::phase(const PhaseStep&, const LinearStep*, const Angles&, const FixedTables<R>&, u64, bool,    \
                                      double*);                                                                     \
  template void TileRunner<R>::group(const GroupStep&, const Angles&, const FixedTables<R>&, u64, bool, double);
QCGRAD_INSTANTIATE(float)
QCGRAD_INSTANTIATE(double)
#undef QCGRAD_INSTANTIATE

}  // namespace qcgrad
