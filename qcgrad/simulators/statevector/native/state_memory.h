// States in memory, and moving tiles between them and the cache.
#pragma once
#include "kernels.h"
#include "memory.h"
#include "plan.h"

namespace qcgrad {

// A state in memory, real and imaginary parts apart.
template <class R>
struct StateMemory {
  Block<R> block;
  R *re = nullptr, *im = nullptr;
  std::size_t reals = 0;
  bool reset(int address_bits) {
    const std::size_t size = padded<R>(u64{1} << address_bits);
    if (!block.reset(2 * size)) return false;
    reals = 2 * size;
    re = block.data();
    im = re + size;
    return true;
  }
};

template <class R>
struct Move {
  const Kernels<R>& k;
  const TileShape& shape;
  void load(const StateMemory<R>& from, u64 base, u64 reach, R* tile) const {
    const std::size_t run = std::size_t{1} << shape.run_bits, half = std::size_t{1} << shape.bits;
    k.gather(from.re, base, shape.runs.data(), shape.runs.size(), run, reach, tile);
    k.gather(from.im, base, shape.runs.data(), shape.runs.size(), run, reach, tile + half);
  }
  void store(const StateMemory<R>& to, u64 base, u64 reach, const R* tile) const {
    const std::size_t run = std::size_t{1} << shape.run_bits, half = std::size_t{1} << shape.bits;
    k.scatter(to.re, base, shape.runs.data(), shape.runs.size(), run, reach, tile);
    k.scatter(to.im, base, shape.runs.data(), shape.runs.size(), run, reach, tile + half);
  }
};

}  // namespace qcgrad
