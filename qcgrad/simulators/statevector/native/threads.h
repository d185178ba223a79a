// A small pool of worker threads. Work is always split by thread number, so results depend on the count alone.
#pragma once
#include <cstdint>
#include <functional>

namespace qcgrad {

// The number of threads used by the next calls: set_num_threads, else QCGRAD_NUM_THREADS, else the processors.
int num_threads();
void set_num_threads(int count);

// Calls work(0) ... work(parts - 1), each once, concurrently where possible, and returns when all are done. If the
// pool is busy with another caller, the parts run one after the other here: same results.
void parallel(int parts, const std::function<void(int)>& work);

// Calls work(part, first, last) for parts of a range that have `least` each, on up to `threads` threads.
template <class F>
void split(std::uint64_t count, std::uint64_t least, int threads, F work) {
  const std::uint64_t wanted = static_cast<std::uint64_t>(threads < 1 ? 1 : threads), fit = count / least;
  const std::uint64_t parts = fit < 1 ? 1 : fit < wanted ? fit : wanted;
  parallel(static_cast<int>(parts), [&](int part) {
    const std::uint64_t p = static_cast<std::uint64_t>(part);
    work(part, count * p / parts, count * (p + 1) / parts);
  });
}

// Cancelling: everything that began before a request stops at its next step or tile.
class CancelToken {
 public:
  CancelToken();
  bool cancelled() const;

 private:
  unsigned start_;
};
void request_cancel();  // async-signal-safe

}  // namespace qcgrad
