// The kernels of one instruction set. The including file sets QCGRAD_ISA_NAMESPACE, QCGRAD_VECTOR_BYTES and
// QCGRAD_ISA_NAME and is compiled with that instruction set's flags. Everything lives in a namespace of its own, and
// nothing here may be an inline function of a shared header that another file also instantiates: the linker keeps
// one copy, and it must not be the AVX-512 one.
#include <cstdint>
#include <cstdlib>
#include <type_traits>
#include <utility>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "kernels.h"

namespace qcgrad {
namespace QCGRAD_ISA_NAMESPACE {
namespace {

#include "vec.h"

#include "kernels_rotate.h"

#include "kernels_phase.h"

#include "kernels_observable.h"

#include "kernels_sampling.h"

#include "kernels_superop.h"

template <class R>
Kernels<R> make_table() {
  Kernels<R> k;
  k.lanes = Simd<R>::lanes;
  k.name = QCGRAD_ISA_NAME;
  k.rotate2 = rotate2<R>;
  k.rotate1 = rotate1<R>;
  k.rotate_lanes = rotate_lanes<R>;
  k.scale = scale_data<R>;
  k.phase = phase<R>;
  k.group = group<R>;
  k.row_map = row_map<R>;
  k.lane_flip = lane_flip<R>;
  k.lane_control = lane_control<R>;
  k.dense = dense<R>;
  k.walsh = walsh;
  k.cos_sin = cos_sin<R>;
  k.pauli_apply = pauli_apply<R>;
  k.pauli_expect = pauli_expect<R>;
  k.table_apply = table_apply<R>;
  k.products = products<R>;
  k.uniforms = uniforms;
  k.locate = locate;
  k.block_sums = block_sums<R>;
  k.pair_products = pair_products<R>;
  k.moments = moments;
  k.string_values = string_values;
  k.dot = dot<R>;
  k.gather = gather<R>;
  k.scatter = scatter<R>;
  k.superop_apply = superop_apply<R, 16>;
  k.superop_transition = superop_transition<R, 16>;
  k.pair_apply = superop_apply<R, 8>;
  k.pair_transition = superop_transition<R, 8>;
  k.state_rotate = state_rotate<R>;
  k.string_rotate = string_rotate<R>;
  k.string_transition = string_transition<R>;
  return k;
}

}  // namespace

const Kernels<float>* float_kernels() {
  static const Kernels<float> table = make_table<float>();
  return &table;
}
const Kernels<double>* double_kernels() {
  static const Kernels<double> table = make_table<double>();
  return &table;
}

}  // namespace QCGRAD_ISA_NAMESPACE
}  // namespace qcgrad
