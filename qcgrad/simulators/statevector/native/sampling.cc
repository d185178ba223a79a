// Outcomes of circuits at a batch of parameter sets, and at one set with one angle after the other moved.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "over_batch.h"

namespace qcgrad {
namespace {

// Up to so many qubits threads work on different states, each in its own cache; beyond, all of them on one.
constexpr int kLaneQubits = 16;

template <class R>
class Measurer {
 public:
  Measurer(const Engine<R>& engine, const Draws& draws, int threads, const CancelToken& cancel, double* means,
           double* variances)
      : e_(engine), draws_(draws), threads_(threads), cancel_(cancel), means_(means), variances_(variances),
        distribution_(*engine.kernels) {}
  // Adds what basis g of a setting says. False if memory is short.
  bool operator()(i64 setting, std::size_t g, const Amplitudes<R>& amplitudes) {
    if (!distribution_.reset(amplitudes, e_.plan.form.num_qubits, e_.sampling.classes_of(g), threads_)) return false;
    const u32* const words = draws_.streams + 3 * setting;
    const DrawStream stream = {{words[0], words[1]}, words[2], static_cast<u32>(g)};
    const i64 outputs = e_.sampling.num_observables;
    measure(*e_.kernels, e_.sampling, g, distribution_, stream, draws_.shots[setting * bases() + static_cast<i64>(g)],
            threads_, cancel_, means_ + setting * outputs, variances_ + setting * outputs);
    return true;
  }

 private:
  i64 bases() const { return static_cast<i64>(e_.sampling.bases.size()); }
  const Engine<R>& e_;
  const Draws& draws_;
  const int threads_;
  const CancelToken& cancel_;
  double *means_, *variances_;
  Distribution<R> distribution_;
};

// Settings that are measured at all: their results begin at zero, the others' are NaN.
template <class R>
std::vector<char> begin_results(const Engine<R>& e, i64 settings, const Draws& draws, double* means, double* variances) {
  const i64 bases = static_cast<i64>(e.sampling.bases.size()), outputs = e.sampling.num_observables;
  std::vector<char> asked(static_cast<std::size_t>(settings));
  for (i64 i = 0; i < settings; ++i) {
    const std::int32_t* const shots = draws.shots + i * bases;
    asked[i] = std::any_of(shots, shots + bases, [](std::int32_t s) { return s > 0; });
    const double start = asked[i] ? 0 : std::numeric_limits<double>::quiet_NaN();
    std::fill(means + i * outputs, means + (i + 1) * outputs, start);
    std::fill(variances + i * outputs, variances + (i + 1) * outputs, start);
  }
  return asked;
}

// Settings that share an angle, or that are the point itself (no terms).
struct Family {
  int point = 0;
  const std::vector<int>* terms = nullptr;
  std::vector<i64> settings;
};

std::vector<Family> families(const ForkPlan& fork, const Shifts& shifts, const std::vector<char>& asked) {
  std::vector<Family> found(fork.terms.size() + 1);
  Family& unmoved = found.back();
  if (asked[0]) unmoved.settings.push_back(0);
  for (i64 b = 0; b < shifts.count; ++b) {
    if (!asked[b + 1]) continue;
    const std::int32_t slot = shifts.owner[b];
    if (slot < 0 || fork.terms[slot].empty()) {
      unmoved.settings.push_back(b + 1);
      continue;
    }
    found[slot].point = fork.point[slot];
    found[slot].terms = &fork.terms[slot];
    found[slot].settings.push_back(b + 1);
  }
  found.erase(std::remove_if(found.begin(), found.end(), [](const Family& f) { return f.settings.empty(); }), found.end());
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

  // The point's own state in every basis. False if memory is short.
  bool base(std::vector<Block<R>>* states, std::vector<Amplitudes<R>>* in_bases, double* scale) {
    sweep_.forward();
    if (!sweep_.keep()) return false;
    *scale = sweep_.scale();
    for (std::size_t g = 0; g < e_.sampling.bases.size(); ++g) {
      const Amplitudes<R> a = sweep_.in_basis(e_.sampling.bases[g]);
      Block<R>& to = (*states)[g];
      const std::size_t half = sweep_.reals() / 2;
      if (!to.reset(2 * half)) return false;
      std::memcpy(to.data(), a.re, half * sizeof(R));
      std::memcpy(to.data() + half, a.im, half * sizeof(R));
      in_bases->push_back({to.data(), to.data() + half, a.spaced});
    }
    return true;
  }

  // False if memory is short.
  bool measure(const Family& family, const std::vector<Amplitudes<R>>& base, double scale, Measurer<R>* measurer) {
    if (!family.terms) return over_bases(family.settings, measurer, [&](i64, std::size_t g) { return base[g]; });
    sweep_.grow(family.point);
    return family.terms->size() == 1 ? turned(family, base, scale, measurer) : rerun(family, measurer);
  }

 private:
  const PauliTerm& term(int index) const { return e_.plan.form.terms[index]; }
  double half_angle(int index, double angle) const { return 0.5 * (term(index).scale * angle + term(index).offset); }

  template <class F>
  bool over_bases(const std::vector<i64>& settings, Measurer<R>* measurer, F amplitudes) {
    for (std::size_t g = 0; g < e_.sampling.bases.size() && !sweep_.cancel().cancelled(); ++g)
      for (i64 s : settings)
        if (!(*measurer)(s, g, amplitudes(s, g))) return false;
    return true;
  }

  // exp(-i (h + d) P) = cos d exp(-i h P) + sin d exp(-i (h + pi/2) P): one more run serves every value of the angle.
  bool turned(const Family& family, const std::vector<Amplitudes<R>>& base, double scale, Measurer<R>* measurer) {
    constexpr double kQuarter = 1.57079632679489661923132169163975144;
    const int index = (*family.terms)[0];
    const std::size_t at = static_cast<std::size_t>(index);
    const double own = sweep_.angles().half[at];
    sweep_.angles().set(at, own + kQuarter);
    sweep_.finish();
    sweep_.angles().set(at, own);
    if (!sweep_.keep()) return false;
    const double other = sweep_.scale();
    for (std::size_t g = 0; g < e_.sampling.bases.size() && !sweep_.cancel().cancelled(); ++g) {
      const Amplitudes<R> quarter = sweep_.in_basis(e_.sampling.bases[g]);
      for (i64 s : family.settings) {
        const double d = half_angle(index, shifts_.moved[s - 1]) - own;
        if (!(*measurer)(s, g, base[g].plus(std::cos(d) * scale, quarter, std::sin(d) * other))) return false;
      }
    }
    return true;
  }

  // Several exponentials with the same angle: each of its values takes a run.
  bool rerun(const Family& family, Measurer<R>* measurer) {
    for (i64 s : family.settings) {
      for (int index : *family.terms)
        sweep_.angles().set(static_cast<std::size_t>(index), half_angle(index, shifts_.moved[s - 1]));
      sweep_.finish();
      if (!sweep_.keep()) return false;
      if (!over_bases({s}, measurer, [&](i64, std::size_t g) { return sweep_.in_basis(e_.sampling.bases[g]); }))
        return false;
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
  std::vector<Block<R>> states(e.sampling.bases.size());
  std::vector<Amplitudes<R>> base;
  double scale = 1;
  std::atomic<bool> failed{false};
  auto run = [&](int lane, int of, bool first) {
    S sweep(e, threads, &cancel);
    if (!sweep.prepare(true)) return false;
    ShiftSampler<R, S> sampler(e, sweep, angles, shifts);
    if (first) return sampler.base(&states, &base, &scale);
    if (!sweep.plant()) return false;
    Measurer<R> measurer(e, draws, threads, cancel, means, variances);
    for (std::size_t f = static_cast<std::size_t>(lane); f < all.size() && !cancel.cancelled(); f += static_cast<std::size_t>(of))
      if (!sampler.measure(all[f], base, scale, &measurer)) return false;
    return true;
  };
  if (!run(0, 1, true)) return Status::kOutOfMemory;
  parallel(lanes, [&](int lane) {
    if (!run(lane, lanes, false)) failed = true;
  });
  return failed ? Status::kOutOfMemory : Status::kOk;
}

}  // namespace

int shift_lanes(int num_qubits) { return num_qubits <= kLaneQubits ? num_threads() : 1; }

template <class R>
Status sample(const Engine<R>& e, i64 batch, const double* angles, const Draws& draws, double* means,
              double* variances) {
  const std::vector<char> is_asked = begin_results(e, batch, draws, means, variances);
  std::vector<i64> asked;
  for (i64 i = 0; i < batch; ++i)
    if (is_asked[i]) asked.push_back(i);
  std::atomic<bool> short_of_memory{false};
  const Status status = over_batch(e, static_cast<i64>(asked.size()), e.sampling.rotates, [&](auto& sweep, i64 a) {
    const i64 i = asked[a];
    sweep.set_angles(angles + i * e.plan.form.num_angles);
    sweep.forward();
    bool fits = sweep.keep();
    Measurer<R> measurer(e, draws, sweep.threads(), sweep.cancel(), means, variances);
    for (std::size_t g = 0; fits && g < e.sampling.bases.size() && !sweep.cancel().cancelled(); ++g)
      fits = measurer(i, g, sweep.in_basis(e.sampling.bases[g]));
    if (!fits) short_of_memory = true;
  });
  return short_of_memory ? Status::kOutOfMemory : status;
}

template <class R>
Status sample_shifted(const Engine<R>& e, i64 points, const double* angles, const Shifts& shifts, const Draws& draws,
                      double* means, double* variances) {
  const CancelToken cancel;
  const int lanes = shift_lanes(e.plan.form.num_qubits), threads = lanes > 1 ? 1 : num_threads();
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
  template Status sample<R>(const Engine<R>&, i64, const double*, const Draws&, double*, double*);                  \
  template Status sample_shifted<R>(const Engine<R>&, i64, const double*, const Shifts&, const Draws&, double*, double*);
QCGRAD_INSTANTIATE(float)
QCGRAD_INSTANTIATE(double)
#undef QCGRAD_INSTANTIATE

}  // namespace qcgrad
