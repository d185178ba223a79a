// Outcomes at one parameter set and with one angle after the other moved: see native.md.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "measurer.h"
#include "memory_sweep.h"
#include "tile_sweep.h"

namespace qcgrad {
namespace {

// The point's own state in every basis, and its probabilities by class where there are classes.
template <class R>
struct Base {
  explicit Base(std::size_t bases) : states(bases), probabilities(bases) {}
  std::vector<Block<R>> states;
  std::vector<Amplitudes<R>> amplitudes;
  std::vector<std::vector<double>> probabilities;
  double scale = 1;
};

// Settings that share an angle, or one that is the point itself (no terms).
struct Family {
  int point = 0;
  const std::vector<int>* terms = nullptr;
  std::vector<i64> settings;
};

std::vector<Family> families(const ForkPlan& fork, const Shifts& shifts, const std::vector<char>& asked) {
  std::vector<Family> moved(fork.terms.size()), found;
  if (asked[0]) found.push_back({0, nullptr, {0}});
  for (i64 b = 0; b < shifts.count; ++b) {
    if (!asked[b + 1]) continue;
    const std::int32_t slot = shifts.owner[b];
    if (slot < 0 || fork.terms[slot].empty()) {
      found.push_back({0, nullptr, {b + 1}});
      continue;
    }
    moved[slot].point = fork.point[slot];
    moved[slot].terms = &fork.terms[slot];
    moved[slot].settings.push_back(b + 1);
  }
  for (Family& family : moved)
    if (!family.settings.empty()) found.push_back(std::move(family));
  std::stable_sort(found.begin(), found.end(), [](const Family& a, const Family& b) { return a.point < b.point; });
  return found;
}

// One point on one thread, or on all of them together: see kLaneQubits.
template <class R, class S>
class ShiftSampler {
 public:
  ShiftSampler(const Engine<R>& engine, S& sweep, const double* angles, const Shifts& shifts)
      : e_(engine), sweep_(sweep), angles_(angles), shifts_(shifts) {
    sweep_.set_angles(angles);
  }

  // False if memory is short.
  bool make_base(Base<R>* base, Measurer<R>* measurer) {
    sweep_.forward();
    if (!sweep_.keep()) return false;
    base->scale = sweep_.scale();
    base->amplitudes.resize(e_.sampling.bases.size());
    for (std::size_t g : e_.sampling.order) {
      const Amplitudes<R> a = sweep_.in_basis(e_.sampling.bases[g]);
      Block<R>& to = base->states[g];
      const std::size_t half = sweep_.reals() / 2;
      if (!to.reset(2 * half) || !measurer->probabilities(g, a, &base->probabilities[g])) return false;
      std::memcpy(to.data(), a.re, half * sizeof(R));
      std::memcpy(to.data() + half, a.im, half * sizeof(R));
      base->amplitudes[g] = {to.data(), to.data() + half, a.spaced};
    }
    return true;
  }

  // False if memory is short.
  bool measure(const Family& family, const Base<R>& base, Measurer<R>* measurer) {
    if (!family.terms) return unmoved(family.settings[0], base, measurer);
    sweep_.grow(family.point);
    return family.terms->size() == 1 ? turned(family, base, measurer) : rerun(family, measurer);
  }

 private:
  const PauliTerm& term(int index) const { return e_.plan.form.terms[index]; }
  double half_angle(int index, double angle) const { return 0.5 * (term(index).scale * angle + term(index).offset); }

  template <class F>
  bool over_bases(F in_basis) {
    for (std::size_t g : e_.sampling.order)
      if (!sweep_.cancel().cancelled() && !in_basis(g)) return false;
    return true;
  }

  bool unmoved(i64 setting, const Base<R>& base, Measurer<R>* measurer) {
    return over_bases([&](std::size_t g) {
      const std::vector<double>& own = base.probabilities[g];
      return own.empty() ? (*measurer)(setting, g, base.amplitudes[g]) : measurer->drawn(setting, g, own);
    });
  }

  // exp(-i (h + d) P) = cos d exp(-i h P) + sin d exp(-i (h + pi/2) P): one more run serves every value of the angle.
  bool turned(const Family& family, const Base<R>& base, Measurer<R>* measurer) {
    constexpr double kQuarter = 1.57079632679489661923132169163975144;
    const int index = (*family.terms)[0];
    const std::size_t at = static_cast<std::size_t>(index);
    const double own = sweep_.angles().half[at];
    sweep_.angles().set(at, own + kQuarter);
    sweep_.finish();
    sweep_.angles().set(at, own);
    if (!sweep_.keep()) return false;
    const double scale = base.scale, other = sweep_.scale();
    return over_bases([&](std::size_t g) {
      return measurer->superposed(family.settings, g, base.amplitudes[g], base.probabilities[g],
                                  sweep_.in_basis(e_.sampling.bases[g]), [&](i64 s) {
                                    const double d = half_angle(index, shifts_.moved[s - 1]) - own;
                                    return std::make_pair(std::cos(d) * scale, std::sin(d) * other);
                                  });
    });
  }

  // Several exponentials with the same angle: each of its values takes a run.
  bool rerun(const Family& family, Measurer<R>* measurer) {
    for (i64 s : family.settings) {
      for (int index : *family.terms)
        sweep_.angles().set(static_cast<std::size_t>(index), half_angle(index, shifts_.moved[s - 1]));
      sweep_.finish();
      if (!sweep_.keep()) return false;
      if (!over_bases([&](std::size_t g) { return (*measurer)(s, g, sweep_.in_basis(e_.sampling.bases[g])); })) return false;
    }
    for (int index : *family.terms)
      sweep_.angles().set(static_cast<std::size_t>(index), half_angle(index, angles_[term(index).slot]));
    return true;
  }

  const Engine<R>& e_;
  S& sweep_;
  const double* const angles_;
  const Shifts& shifts_;
};

template <class R, class S>
Status sample_point(const Engine<R>& e, int lanes, int threads, const CancelToken& cancel, const double* angles,
                    const Shifts& shifts, const Draws& draws, double* means, double* variances) {
  const std::vector<char> asked = begin_results(e, shifts.count + 1, draws, means, variances);
  const std::vector<Family> all = families(e.fork, shifts, asked);
  Base<R> base(e.sampling.bases.size());
  std::atomic<bool> failed{false};
  auto run = [&](int lane, int of, bool first) {
    S sweep(e, threads, &cancel);
    if (!sweep.prepare(true)) return false;
    ShiftSampler<R, S> sampler(e, sweep, angles, shifts);
    Measurer<R> measurer(e, draws, threads, cancel, means, variances);
    if (first) return sampler.make_base(&base, &measurer);
    if (!sweep.plant()) return false;
    for (std::size_t f = static_cast<std::size_t>(lane); f < all.size() && !cancel.cancelled(); f += static_cast<std::size_t>(of))
      if (!sampler.measure(all[f], base, &measurer)) return false;
    return true;
  };
  if (!run(0, 1, true)) return Status::kOutOfMemory;
  parallel(lanes, [&](int lane) {
    if (!run(lane, lanes, false)) failed = true;
  });
  return failed ? Status::kOutOfMemory : Status::kOk;
}

}  // namespace

int shift_states(int num_qubits) {
  // Of a state in one tile: two of psi, two of lambda, six of tables and numbers, the trunk, and the state kept.
  return num_qubits <= kLaneQubits ? 12 * num_threads() : 3;
}

template <class R>
Status sample_shifted(const Engine<R>& e, i64 points, const double* angles, const Shifts& shifts, const Draws& draws,
                      double* means, double* variances) {
  const CancelToken cancel;
  const int lanes = e.plan.form.num_qubits <= kLaneQubits ? num_threads() : 1, threads = lanes > 1 ? 1 : num_threads();
  const i64 settings = shifts.count + 1, bases = static_cast<i64>(e.sampling.bases.size());
  const i64 outputs = e.sampling.num_observables;
  for (i64 p = 0; p < points && !cancel.cancelled(); ++p) {
    const Shifts here = {shifts.count, shifts.owner, shifts.moved + p * shifts.count};
    const Draws drawn = {draws.shots + p * settings * bases, draws.streams + p * settings * 3};
    auto* const run = e.in_one_tile() ? sample_point<R, TileSweep<R>> : sample_point<R, Sweep<R>>;
    const Status status = run(e, lanes, threads, cancel, angles + p * e.plan.form.num_angles, here, drawn,
                              means + p * settings * outputs, variances + p * settings * outputs);
    if (status != Status::kOk) return status;
  }
  return cancel.cancelled() ? Status::kCancelled : Status::kOk;
}

#define QCGRAD_INSTANTIATE(R)                                                                                       \
  template Status sample_shifted<R>(const Engine<R>&, i64, const double*, const Shifts&, const Draws&, double*, double*);
QCGRAD_INSTANTIATE(float)
QCGRAD_INSTANTIATE(double)
#undef QCGRAD_INSTANTIATE

}  // namespace qcgrad
