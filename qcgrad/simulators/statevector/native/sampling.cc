// Outcomes of circuits at a batch of parameter sets.
#include <atomic>
#include <vector>

#include "measurer.h"
#include "over_batch.h"

namespace qcgrad {

template <class R>
Status sample(const Engine<R>& e, i64 batch, const double* angles, const Draws& draws, double* means,
              double* variances) {
  const std::vector<char> is_asked = begin_results(e, batch, draws, means, variances);
  std::vector<i64> asked;
  for (i64 i = 0; i < batch; ++i)
    if (is_asked[i]) asked.push_back(i);
  std::atomic<bool> short_of_memory{false};
  const Status status = over_batch(e, static_cast<i64>(asked.size()), e.sampling.rotations > 0, [&](auto& sweep, i64 a) {
    const i64 i = asked[a];
    sweep.set_angles(angles + i * e.plan.form.num_angles);
    sweep.forward();
    bool fits = sweep.keep();
    Measurer<R> measurer(e, draws, sweep.threads(), sweep.cancel(), means, variances);
    for (std::size_t g : e.sampling.order)
      fits = fits && !sweep.cancel().cancelled() && measurer(i, g, sweep.in_basis(e.sampling.bases[g]));
    if (!fits) short_of_memory = true;
  });
  return short_of_memory ? Status::kOutOfMemory : status;
}

#define QCGRAD_INSTANTIATE(R) \
  template Status sample<R>(const Engine<R>&, i64, const double*, const Draws&, double*, double*);
QCGRAD_INSTANTIATE(float)
QCGRAD_INSTANTIATE(double)
#undef QCGRAD_INSTANTIATE

}  // namespace qcgrad
