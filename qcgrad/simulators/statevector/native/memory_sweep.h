// One parameter set on all threads, with states in memory: forward, observables, and the adjoint sweep back.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "distribution.h"
#include "engine.h"
#include "state_memory.h"
#include "threads.h"

namespace qcgrad {

// One parameter set on all threads, states in memory.
template <class R>
class Sweep {
 public:
  Sweep(const Engine<R>& engine, int threads, const CancelToken* cancel)
      : e_(engine), k_(*engine.kernels), threads_(threads), cancel_(cancel), next_base_(threads), runners_(new TileRunner<R>[threads]) {}

  // Two states where something else is kept beside psi: lambda, or psi in another basis.
  bool prepare(bool two_states) {
    if (!psi_.reset(e_.plan.address_bits) || (two_states && !lambda_.reset(e_.plan.address_bits))) return false;
    for (int t = 0; t < threads_; ++t)
      if (!runners_[t].prepare(e_.kernels, e_.max_tile_bits(), e_.plan.form.terms.size(), cancel_)) return false;
    return true;
  }

  int threads() const { return threads_; }
  const CancelToken& cancel() const { return *cancel_; }
  void set_angles(const double* angles) { angles_.evaluate(e_.plan.form, angles); }

  void forward() { run_from(0, nullptr, 1); }

  // As in TileSweep.
  void load(const R* state) {
    const std::size_t size = std::size_t{1} << e_.plan.form.num_qubits;
    for (std::size_t j = 0; j < size; ++j) {
      const u64 at = padded<R>(j);
      psi_.re[at] = lambda_.im[at] = state[2 * j];
      psi_.im[at] = state[2 * j + 1];
      lambda_.re[at] = -state[2 * j + 1];
    }
    scale_ = 1;
  }

  // As in TileSweep; the points are passes.
  Angles& angles() { return angles_; }
  double scale() const { return scale_; }
  bool plant() {
    at_ = 0;
    trunk_scale_ = 1;
    return trunk_.reset(e_.plan.address_bits);
  }
  void grow(int point) {
    for (; at_ < point; ++at_)
      trunk_scale_ = pass_forward(e_.plan.passes[at_], e_.plan.form, angles_, at_ ? &trunk_ : nullptr, trunk_, trunk_scale_);
  }
  void finish() { run_from(at_, at_ ? &trunk_ : nullptr, trunk_scale_); }
  std::size_t reals() const { return psi_.reals; }

  // The passes from `first` on, which start from another state (null: |0...0>).
  void run_from(int first, const StateMemory<R>* from, double scale) {
    scale_ = scale;
    for (std::size_t i = static_cast<std::size_t>(first); i < e_.plan.passes.size(); ++i) {
      scale_ = pass_forward(e_.plan.passes[i], e_.plan.form, angles_, from, psi_, scale_);
      from = &psi_;
    }
    const u64 reach = e_.plan.passes.back().reach_after;
    const std::size_t size = std::size_t{1} << e_.plan.address_bits;
    // Amplitudes that no pass has reached were never written.
    if (~reach & (size - 1))
      for (std::size_t j = 0; j < size; ++j)
        if (j & ~reach) psi_.re[padded<R>(j)] = psi_.im[padded<R>(j)] = 0;
  }

  void backward() {
    const auto& passes = e_.plan.passes;
    for (std::size_t i = passes.size(); i-- > 0;) pass_backward(passes[i], i == 0);
  }

  // Returns <psi| sum_s weights[s] string_s |psi>; `keep` leaves the operator applied to psi in lambda.
  double apply_observables(const double* weights, bool keep) {
    const auto& passes = e_.observables.passes;
    std::vector<double> partial(threads_, 0.0);
    if (passes.empty() && keep) std::memset(lambda_.re, 0, lambda_.reals * sizeof(R));
    for (std::size_t i = 0; i < passes.size(); ++i) {
      const bool fresh = !keep || i == 0, complete = !keep || i + 1 == passes.size();
      const Move<R> move{k_, passes[i].shape};
      const std::size_t half = std::size_t{1} << passes[i].shape.bits;
      for_tiles(passes[i].shape, ~u64{0}, [&](int t, u64 base) {
        R *psi = runners_[t].psi(), *lambda = runners_[t].lambda();
        move.load(psi_, base, ~u64{0}, psi);
        if (fresh)
          std::memset(lambda, 0, 2 * half * sizeof(R));
        else
          move.load(lambda_, base, ~u64{0}, lambda);
        apply_observable(k_, passes[i], weights, base, psi, lambda, &runners_[t]);
        if (complete) partial[t] += k_.dot(psi, lambda, 2 * half);
        if (keep) move.store(lambda_, base, ~u64{0}, lambda);
      });
    }
    double sum = 0;
    for (double p : partial) sum += p;
    return sum * scale_ * scale_;
  }

  // <string_s> for all strings.
  std::vector<double> expectations() {
    const std::size_t strings = e_.observables.num_strings;
    std::vector<std::vector<double>> partial(threads_, std::vector<double>(strings, 0.0));
    for (const ObservablePass& pass : e_.observables.passes) {
      const Move<R> move{k_, pass.shape};
      for_tiles(pass.shape, ~u64{0}, [&](int t, u64 base) {
        move.load(psi_, base, ~u64{0}, runners_[t].psi());
        expect_strings(k_, pass, base, runners_[t].psi(), &runners_[t], partial[t].data());
      });
    }
    std::vector<double> sum(strings, 0.0);
    for (const auto& p : partial)
      for (std::size_t s = 0; s < strings; ++s) sum[s] += p[s] * scale_ * scale_;
    return sum;
  }

  void clear_sums() {
    for (int t = 0; t < threads_; ++t) std::fill(runners_[t].sums().begin(), runners_[t].sums().end(), 0.0);
  }
  // d/d angle += factor * (sum over exponentials).
  void add_gradient(double factor, double* gradient) {
    const auto& terms = e_.plan.form.terms;
    for (std::size_t i = 0; i < terms.size(); ++i) {
      if (terms[i].slot < 0) continue;
      double sum = 0;
      for (int t = 0; t < threads_; ++t) sum += runners_[t].sums()[i];
      gradient[terms[i].slot] += factor * terms[i].scale * sum;
    }
  }

  void copy_state(R* out) {
    const std::size_t size = std::size_t{1} << e_.plan.form.num_qubits;
    const double re = scale_ * std::cos(angles_.phase), im = scale_ * std::sin(angles_.phase);
    parallel(threads_, [&](int t) {
      const std::size_t begin = size / threads_ * t, end = t + 1 == threads_ ? size : size / threads_ * (t + 1);
      for (std::size_t j = begin; j < end; ++j) {
        const double a = psi_.re[padded<R>(j)], b = psi_.im[padded<R>(j)];
        out[2 * j] = static_cast<R>(a * re - b * im);
        out[2 * j + 1] = static_cast<R>(a * im + b * re);
      }
    });
  }

  bool keep() { return true; }  // psi stays as it is while lambda's memory holds it in other bases
  // The state as seen in a basis, until the next call.
  Amplitudes<R> in_basis(const BasisPlan& basis) {
    const StateMemory<R>* from = &psi_;
    if (!basis.computational())
      for (const Pass& pass : basis.rotation.passes) {
        pass_forward(pass, basis.rotation.form, basis.angles, from, lambda_, 1);
        from = &lambda_;
      }
    return {from->re, from->im, true};
  }

 private:
  template <class F>
  void for_tiles(const TileShape& shape, u64 within, F f) {
    const u64 count = shape.count(within);
    parallel(threads_, [&](int t) {
      const u64 begin = count * t / threads_, end = count * (t + 1) / threads_;
      for (u64 tile = begin; tile < end && !cancel_->cancelled(); ++tile) {
        next_base_[t] = tile + 1 < end ? shape.base(tile + 1, within) : ~u64{0};
        f(t, shape.base(tile, within));
      }
    });
  }

  void build_fixed(const Pass& pass, const Angles& angles, u64 tiles) {
    fixed_.enabled = tiles > 1;
    if (!fixed_.enabled) return;
    if (fixed_.tables.size() < static_cast<std::size_t>(pass.num_fixed_tables))
      fixed_.tables = std::vector<Block<R>>(pass.num_fixed_tables);
    for (int i = 0; i < pass.num_fixed_tables; ++i) fixed_.tables[i].reset(std::size_t{2} << pass.shape.bits);
    for (const PhaseStep& p : pass.phases)
      if (p.fixed_table >= 0)
        runners_[0].build_table(p.fixed, angles, 0, pass.shape.bits, -1, fixed_.tables[p.fixed_table].data());
    for (const GroupStep& g : pass.groups)
      if (g.fixed_table >= 0)
        runners_[0].build_table(g.terms, angles, 0, pass.shape.bits, 1, fixed_.tables[g.fixed_table].data());
  }

  // The cache lines of a tile relative to its base. Only where addresses add up: no wide generators.
  void list_lines(const TileShape& shape) {
    lines_.clear();
    if (shape.wide) return;
    for (u64 run : shape.runs)
      for (std::size_t b = 0; b < (sizeof(R) << shape.run_bits); b += 64)
        lines_.push_back(padded<R>(run) * sizeof(R) + b);
  }
  void aim_prefetch(int t, const StateMemory<R>& first, const StateMemory<R>* second) {
    PrefetchCursor& c = runners_[t].prefetch();
    c.next = c.end = 0;
    if (next_base_[t] == ~u64{0}) return;
    const R* const arrays[4] = {first.re, first.im, second ? second->re : nullptr, second ? second->im : nullptr};
    c.log2_arrays = second ? 2 : 1;
    for (int i = 0; i < (second ? 4 : 2); ++i)
      c.at[i] = reinterpret_cast<const char*>(arrays[i] + padded<R>(next_base_[t]));
    c.offsets = lines_.data();
    c.end = lines_.size() << c.log2_arrays;
  }

  // One pass from one memory to another or the same; `from` null: |0...0>. Returns the scale of what it leaves.
  double pass_forward(const Pass& pass, const NormalForm& form, const Angles& angles, const StateMemory<R>* from,
                      const StateMemory<R>& to, double scale) {
    build_fixed(pass, angles, pass.shape.count(pass.reach_after));
    const Move<R> move{k_, pass.shape};
    const std::size_t half = std::size_t{1} << pass.shape.bits;
    std::vector<double> scales(threads_, scale);
    list_lines(pass.shape);
    for_tiles(pass.shape, pass.reach_after, [&](int t, u64 base) {
      TileRunner<R>& run = runners_[t];
      aim_prefetch(t, from ? *from : to, nullptr);
      if (from) {
        move.load(*from, base, pass.reach_before, run.psi());
      } else {
        // All other tiles of this pass (there are some only if a generator is wide) stay zero.
        std::memset(run.psi(), 0, 2 * half * sizeof(R));
        run.psi()[0] = base == 0 ? 1 : 0;
      }
      scales[t] = run.forward(pass, form, angles, fixed_, base, scale);
      move.store(to, base, ~u64{0}, run.psi());
    });
    return common_scale(pass, scales);
  }

  void pass_backward(const Pass& pass, bool last) {
    build_fixed(pass, angles_, pass.shape.count(pass.reach_after));
    if (fixed_.enabled)
      for (int t = 0; t < threads_; ++t) runners_[t].begin_fixed(pass);
    const Move<R> move{k_, pass.shape};
    std::vector<double> scales(threads_, scale_);
    list_lines(pass.shape);
    for_tiles(pass.shape, pass.reach_after, [&](int t, u64 base) {
      TileRunner<R>& run = runners_[t];
      aim_prefetch(t, psi_, &lambda_);
      move.load(psi_, base, ~u64{0}, run.psi());
      move.load(lambda_, base, ~u64{0}, run.lambda());
      scales[t] = run.backward(pass, e_.plan.form, angles_, fixed_, base, scale_);
      if (last) return;
      // What is outside the reach of the earlier passes has zero psi there and never matters again.
      move.store(psi_, base, pass.reach_before, run.psi());
      move.store(lambda_, base, pass.reach_before, run.lambda());
    });
    if (fixed_.enabled) collect_fixed(pass);
    scale_ = common_scale(pass, scales);
  }

  // The scale is the same in every tile, but with fewer tiles than threads some threads have had none.
  double common_scale(const Pass& pass, const std::vector<double>& scales) const {
    const u64 tiles = pass.shape.count(pass.reach_after);
    double scale = scales[0];
    for (int t = 0; t < threads_; ++t)
      if (tiles * t / threads_ < tiles * (t + 1) / threads_) scale = scales[t];
    return scale;
  }

  // Gradient sums of exponentials whose signs do not depend on the tile: one transform for all tiles together.
  void collect_fixed(const Pass& pass) {
    auto collect = [&](int table, const std::vector<PhaseTerm>& terms) {
      if (table < 0) return;
      const std::size_t size = std::size_t{1} << pass.shape.bits;
      double* const total = runners_[0].fixed_sum(table);
      double weight = runners_[0].fixed_scale(table);
      for (int t = 1; t < threads_; ++t) {
        const double* const part = runners_[t].fixed_sum(table);
        for (std::size_t j = 0; j < size; ++j) total[j] += part[j];
        if (runners_[t].fixed_scale(table) != 0) weight = runners_[t].fixed_scale(table);
      }
      k_.walsh(total, pass.shape.bits);
      for (const PhaseTerm& p : terms) runners_[0].sums()[p.term] += weight * p.sigma * total[p.form];
    };
    for (const PhaseStep& p : pass.phases) collect(p.fixed_table, p.fixed);
    for (const GroupStep& g : pass.groups) collect(g.fixed_table, g.terms);
  }

  const Engine<R>& e_;
  const Kernels<R>& k_;
  const int threads_;
  const CancelToken* const cancel_;
  std::vector<u64> next_base_;  // per thread: the tile after the current one, or ~0
  std::vector<u64> lines_;
  std::unique_ptr<TileRunner<R>[]> runners_;
  StateMemory<R> psi_, lambda_, trunk_;
  int at_ = 0;
  double trunk_scale_ = 1;
  Angles angles_;
  FixedTables<R> fixed_;
  double scale_ = 1;
};

}  // namespace qcgrad
