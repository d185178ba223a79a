// Runs the program of a pass on one tile, forwards on psi or backwards on psi and lambda.
#pragma once
#include <utility>
#include <vector>

#include "kernels.h"
#include "memory.h"
#include "plan.h"
#include "threads.h"

namespace qcgrad {

// Every exponential's half angle at one parameter set, reduced so that sums of them stay small.
struct Angles {
  std::vector<double> half, cosine, sine;
  void evaluate(const NormalForm& form, const double* angles);
  // One exponential's half angle, reduced.
  void set(std::size_t term, double half_angle);
  double phase = 0;  // the global phase
};

// Tables of a pass that all its tiles share, and their accumulated gradient sums per thread.
template <class R>
struct FixedTables {
  std::vector<Block<R>> tables;
  bool enabled = false;  // with a single tile the tables are built where they are used
};

template <class R>
class TileRunner {
 public:
  // Buffers for tiles of up to tile_bits, and gradient sums for `terms` exponentials.
  bool prepare(const Kernels<R>* kernels, int tile_bits, std::size_t terms, const CancelToken* cancel);

  // What to fetch into cache meanwhile (see PrefetchCursor).
  PrefetchCursor& prefetch() { return prefetch_; }

  R* psi() { return psi_[now_]; }
  // Takes other memory for psi, and hands out what it was.
  R* exchange(R* other) {
    std::swap(psi_[now_], other);
    return other;
  }
  R* lambda() { return lambda_[now_]; }
  std::vector<double>& sums() { return sums_; }

  // The tile holds scale * stored on entry and exit.
  double forward(const Pass& pass, const NormalForm& form, const Angles& angles, const FixedTables<R>& fixed, u64 base,
                 double scale);
  // The steps from `begin` to before `end` only. A permutation is left to the phases after it, so neither may stand
  // between the two.
  double forward_steps(const Pass& pass, const NormalForm& form, const Angles& angles, const FixedTables<R>& fixed,
                       u64 base, double scale, std::size_t begin, std::size_t end);
  double backward(const Pass& pass, const NormalForm& form, const Angles& angles, const FixedTables<R>& fixed,
                  u64 base, double scale);

  // Sums belonging to fixed tables, accumulated over this thread's tiles.
  void begin_fixed(const Pass& pass);
  double* fixed_sum(int table) { return fixed_sums_.data() + fixed_stride_ * static_cast<std::size_t>(table); }
  double fixed_scale(int table) const { return fixed_scale_[table]; }

  // Half-angle table sum_t sigma t/2 (-1)^{form.p} of a term list at a base, as cosines and sines of factor * it.
  void build_table(const std::vector<PhaseTerm>& terms, const Angles& angles, u64 base, int tile_bits, double factor,
                   R* out);
  double* scratch() { return values_.data(); }
  R* table() { return table_.data(); }
  R* second_table() { return second_table_.data(); }

 private:
  template <bool GRAD>
  double run(const Pass& pass, const NormalForm& form, const Angles& angles, const FixedTables<R>& fixed, u64 base,
             double scale, std::size_t begin, std::size_t end);
  void rotate(const Pass& pass, const Step& step, const Angles& angles, u64 base, bool grad, double* scale);
  void rotate1(const Rotation& r, const Angles& angles, u64 base, bool grad, double* scale);
  void rotate2(const Rotation& a, const Rotation& b, bool crossed, const Angles& angles, u64 base, bool grad,
               double* scale);
  void rotate_lanes(const Pass& pass, const Step& step, const Angles& angles, u64 base, bool grad,
                    double* scale);
  // `map`, if any, is the permutation next to it on the side of the circuit's beginning, done in the same sweep.
  void phase(const PhaseStep& step, const LinearStep* map, const Angles& angles, const FixedTables<R>& fixed, u64 base,
             bool grad, double* scale);
  void group(const GroupStep& step, const Angles& angles, const FixedTables<R>& fixed, u64 base,
             bool grad, double scale);
  void linear(const LinearStep& step, u64 base, bool back);
  void lane_moves(const LinearStep& step, R* data, bool back);
  // destination-to-source map of the step, or of its inverse.
  RowMap row_map(const LinearStep& step, u64 base, bool inverse) const;
  void renormalise(bool grad, double* scale);
  void add_moving(const std::vector<PhaseTerm>& terms, u64 base, double weight);

  const Kernels<R>* k_ = nullptr;
  const CancelToken* cancel_ = nullptr;
  PrefetchCursor prefetch_;
  int m_ = 0;  // tile bits of the pass being run
  int now_ = 0;
  Block<R> tiles_;
  R *psi_[2] = {}, *lambda_[2] = {};
  Block<R> low_, high_, sum_low_, sum_high_, table_, second_table_;
  Block<double> values_, fixed_sums_;
  std::size_t fixed_stride_ = 0;
  std::vector<double> sums_, fixed_scale_;
};

}  // namespace qcgrad
