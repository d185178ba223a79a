// How a batch of parameter sets is spread over threads.
#pragma once
#include <algorithm>
#include <vector>

#include "memory_sweep.h"
#include "tile_sweep.h"

namespace qcgrad {

// Runs work(sweep, i) over the batch: entries over threads when a state fits a tile, else threads in an entry.
template <class R, class F>
Status over_batch(const Engine<R>& e, i64 batch, bool two_states, F work) {
  const CancelToken cancel;
  const int threads = num_threads();
  if (e.in_one_tile()) {
    const int parts = static_cast<int>(std::min<i64>(threads, batch));
    std::vector<char> failed(parts, 0);
    parallel(parts, [&](int t) {
      TileSweep<R> sweep(e, parts == 1 ? threads : 1, &cancel);
      if (!sweep.prepare()) {
        failed[t] = 1;
        return;
      }
      for (i64 i = batch * t / parts; i < batch * (t + 1) / parts && !cancel.cancelled(); ++i) work(sweep, i);
    });
    for (char f : failed)
      if (f) return Status::kOutOfMemory;
  } else {
    Sweep<R> sweep(e, threads, &cancel);
    if (!sweep.prepare(two_states)) return Status::kOutOfMemory;
    for (i64 i = 0; i < batch && !cancel.cancelled(); ++i) work(sweep, i);
  }
  return cancel.cancelled() ? Status::kCancelled : Status::kOk;
}

}  // namespace qcgrad
