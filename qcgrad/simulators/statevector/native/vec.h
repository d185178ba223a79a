// Vector types for the kernels. Included inside the namespace of one instruction set, with QCGRAD_VECTOR_BYTES set.
// GCC/Clang vector extensions: on other processors the same source becomes NEON or plain scalar code.

template <class R>
struct Simd {
  static constexpr int W = QCGRAD_VECTOR_BYTES / sizeof(R);
  static constexpr int lanes = W == 2 ? 1 : W == 4 ? 2 : W == 8 ? 3 : 4;
  typedef R V __attribute__((vector_size(QCGRAD_VECTOR_BYTES), may_alias));
  using Int = typename std::conditional<sizeof(R) == 8, long long, int>::type;
  typedef Int I __attribute__((vector_size(QCGRAD_VECTOR_BYTES), may_alias));
};
template <class R>
using Vec = typename Simd<R>::V;

template <class R>
inline Vec<R> splat(double x) {
  return Vec<R>{} + static_cast<R>(x);
}

template <class R, int A, std::size_t... L>
inline Vec<R> lane_xor_impl(Vec<R> v, std::index_sequence<L...>) {
#if defined(__clang__)
  return __builtin_shufflevector(v, v, static_cast<int>(L ^ A)...);
#else
  return __builtin_shuffle(v, typename Simd<R>::I{static_cast<typename Simd<R>::Int>(L ^ A)...});
#endif
}
// Lane l of the result is lane l xor A of v.
template <class R, int A>
inline Vec<R> lane_xor(Vec<R> v) {
  if constexpr (A == 0)
    return v;
  else
    return lane_xor_impl<R, A>(v, std::make_index_sequence<Simd<R>::W>());
}

// A permutation of lanes known at run time only: lane l of the result is lane source[l] of v. In 32-bit units, because
// that is what processors permute by a register.
template <class R>
struct LanePermutation {
  typedef int I __attribute__((vector_size(QCGRAD_VECTOR_BYTES), may_alias));
  typedef float F __attribute__((vector_size(QCGRAD_VECTOR_BYTES), may_alias));
  I index;
  void set(int lane, int source) {
    if constexpr (sizeof(R) == 8) {
      index[2 * lane] = 2 * source;
      index[2 * lane + 1] = 2 * source + 1;
    } else {
      index[lane] = source;
    }
  }
  Vec<R> apply(Vec<R> v) const {
    const F from = reinterpret_cast<const F&>(v);
#if defined(__clang__)
    F to;
    for (std::size_t l = 0; l < QCGRAD_VECTOR_BYTES / 4; ++l) to[l] = from[index[l]];
#else
    F to = __builtin_shuffle(from, index);
#endif
    return reinterpret_cast<const Vec<R>&>(to);
  }
};

template <class R>
inline double sum_lanes(Vec<R> v) {
  double s = 0;
  for (int l = 0; l < Simd<R>::W; ++l) s += v[l];
  return s;
}

// Lane l is value * (-1)^{form.l + parity}.
template <class R>
inline Vec<R> signed_splat(double value, u32 form, u32 parity) {
  Vec<R> v = {};
  for (int l = 0; l < Simd<R>::W; ++l)
    v[l] = static_cast<R>((parity32(form & l) ^ parity) ? -value : value);
  return v;
}

// The pattern is applied in double: this is where per-lane partial sums become one number.
template <class R>
inline double signed_sum_lanes(Vec<R> v, u32 form) {
  double s = 0;
  for (int l = 0; l < Simd<R>::W; ++l) s += parity32(form & l) ? -static_cast<double>(v[l]) : static_cast<double>(v[l]);
  return s;
}

template <class R>
inline void add_to_doubles(double* to, Vec<R> v) {
  if constexpr (sizeof(R) == 8) {
    *reinterpret_cast<Vec<R>*>(to) += v;
  } else {
    for (int l = 0; l < Simd<R>::W; ++l) to[l] += v[l];
  }
}
template <class R>
inline void store_doubles(double* to, Vec<R> v) {
  if constexpr (sizeof(R) == 8) {
    *reinterpret_cast<Vec<R>*>(to) = v;
  } else {
    for (int l = 0; l < Simd<R>::W; ++l) to[l] = v[l];
  }
}

// Calls f with std::integral_constant<int, a>: lane permutations have to be compile-time constants to be cheap.
template <class R, class F>
inline void with_lane_xor(u32 a, F f) {
#define QCGRAD_CASE(A)                                                   \
  case A:                                                                \
    if constexpr (A < Simd<R>::W) f(std::integral_constant<int, A>());   \
    break;
  switch (a) {
    QCGRAD_CASE(0) QCGRAD_CASE(1) QCGRAD_CASE(2) QCGRAD_CASE(3)
    QCGRAD_CASE(4) QCGRAD_CASE(5) QCGRAD_CASE(6) QCGRAD_CASE(7)
    QCGRAD_CASE(8) QCGRAD_CASE(9) QCGRAD_CASE(10) QCGRAD_CASE(11)
    QCGRAD_CASE(12) QCGRAD_CASE(13) QCGRAD_CASE(14) QCGRAD_CASE(15)
  }
#undef QCGRAD_CASE
}

inline u32 low_run(u32 mask) { return mask & (~mask + 1); }
inline u32 top_bit(u32 mask) { return u32{1} << (31 - __builtin_clz(mask)); }
