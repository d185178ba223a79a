// Pauli strings as observables. Included inside one instruction set's namespace.

// lambda += f sign psi(. xor flip) for strings whose flips stay within rows: one read of every partner row and one
// update of lambda for the whole list.
template <class R>
void pauli_apply_rows(const R* psi, R* lambda, int tile_bits, const PauliArgs* args, const int* pick, int count) {
  using V = Vec<R>;
  constexpr int L = Simd<R>::lanes, kBlock = 16;
  const u32 half = u32{1} << (tile_bits - L);
  const V* const p = reinterpret_cast<const V*>(psi);
  V* const q = reinterpret_cast<V*>(lambda);
  for (int start = 0; start < count; start += kBlock) {
    const int n = count - start < kBlock ? count - start : kBlock;
    V factor[kBlock][2];
    u32 flip[kBlock], sign[kBlock];
    for (int k = 0; k < n; ++k) {
      const PauliArgs& a = args[pick[start + k]];
      flip[k] = a.flip >> L;
      sign[k] = a.sign >> L;
      factor[k][0] = signed_splat<R>(a.factor, a.sign & (Simd<R>::W - 1), a.parity);
      factor[k][1] = -factor[k][0];
    }
    for (u32 r = 0; r < half; ++r) {
      V re = q[r], im = q[r + half];
      for (int k = 0; k < n; ++k) {
        const V f = factor[k][parity32(r & sign[k])];
        re += f * p[r ^ flip[k]];
        im += f * p[(r ^ flip[k]) + half];
      }
      q[r] = re;
      q[r + half] = im;
    }
  }
}

template <class R, int A>
void pauli_apply_one(const R* psi, R* lambda, int tile_bits, const PauliArgs& a) {
  using V = Vec<R>;
  constexpr int L = Simd<R>::lanes;
  const u32 half = u32{1} << (tile_bits - L);
  const V* const p = reinterpret_cast<const V*>(psi);
  V* const q = reinterpret_cast<V*>(lambda);
  const u32 flip = a.flip >> L, sign = a.sign >> L;
  V f[2];
  f[0] = signed_splat<R>(a.factor, a.sign & (Simd<R>::W - 1), a.parity);
  f[1] = -f[0];
  for (u32 r = 0; r < half; ++r) {
    const V s = f[parity32(r & sign)];
    const V re = lane_xor<R, A>(p[r ^ flip]), im = lane_xor<R, A>(p[(r ^ flip) + half]);
    q[r] += s * (a.imaginary ? im : re);
    q[r + half] += a.imaginary ? -s * re : s * im;
  }
}

template <class R>
void pauli_apply(const R* psi, R* lambda, int tile_bits, const PauliArgs* args, int count) {
  int rows[64], waiting = 0;
  for (int k = 0; k < count; ++k) {
    const u32 lane = args[k].flip & (Simd<R>::W - 1);
    if (lane == 0 && !args[k].imaginary) {
      rows[waiting++] = k;
      if (waiting == 64) {
        pauli_apply_rows(psi, lambda, tile_bits, args, rows, waiting);
        waiting = 0;
      }
    } else {
      with_lane_xor<R>(lane, [&](auto a) { pauli_apply_one<R, decltype(a)::value>(psi, lambda, tile_bits, args[k]); });
    }
  }
  pauli_apply_rows(psi, lambda, tile_bits, args, rows, waiting);
}

template <class R, int A>
double pauli_expect_impl(const R* psi, int tile_bits, const PauliArgs& a) {
  using V = Vec<R>;
  constexpr int L = Simd<R>::lanes;
  const u32 half = u32{1} << (tile_bits - L);
  const V* const p = reinterpret_cast<const V*>(psi);
  const u32 flip = a.flip >> L, sign = a.sign >> L;
  const V one[2] = {splat<R>(1), splat<R>(-1)};
  V sum = {};
  for (u32 r = 0; r < half; ++r) {
    const V s = one[parity32(r & sign)];
    const V x = p[r], y = p[r + half];
    const V re = lane_xor<R, A>(p[r ^ flip]), im = lane_xor<R, A>(p[(r ^ flip) + half]);
    sum += s * (a.imaginary ? x * im - y * re : x * re + y * im);
  }
  const double total = a.factor * signed_sum_lanes<R>(sum, a.sign & (Simd<R>::W - 1));
  return a.parity ? -total : total;
}

template <class R>
double pauli_expect(const R* psi, int tile_bits, const PauliArgs& a) {
  double v = 0;
  with_lane_xor<R>(a.flip & (Simd<R>::W - 1),
                   [&](auto lane) { v = pauli_expect_impl<R, decltype(lane)::value>(psi, tile_bits, a); });
  return v;
}

template <class R, int A>
void table_apply_impl(const R* psi, R* lambda, int tile_bits, u32 flip_bits, const R* even, const R* odd) {
  using V = Vec<R>;
  constexpr int L = Simd<R>::lanes;
  const u32 half = u32{1} << (tile_bits - L), flip = flip_bits >> L;
  const V* const p = reinterpret_cast<const V*>(psi);
  V* const q = reinterpret_cast<V*>(lambda);
  const V* const e = reinterpret_cast<const V*>(even);
  const V* const o = reinterpret_cast<const V*>(odd);
  for (u32 r = 0; r < half; ++r) {
    const V re = lane_xor<R, A>(p[r ^ flip]), im = lane_xor<R, A>(p[(r ^ flip) + half]);
    V a = q[r], b = q[r + half];
    if (e) a += e[r] * re, b += e[r] * im;
    if (o) a += o[r] * im, b -= o[r] * re;
    q[r] = a;
    q[r + half] = b;
  }
}

template <class R>
void table_apply(const R* psi, R* lambda, int tile_bits, u32 flip, const R* even, const R* odd) {
  with_lane_xor<R>(flip & (Simd<R>::W - 1), [&](auto lane) {
    table_apply_impl<R, decltype(lane)::value>(psi, lambda, tile_bits, flip, even, odd);
  });
}

template <class R>
void products(const R* psi, int tile_bits, u32 flip_bits, double* real, double* imag) {
  using V = Vec<R>;
  constexpr int L = Simd<R>::lanes, W = Simd<R>::W;
  const u32 half = u32{1} << (tile_bits - L), flip = flip_bits >> L;
  const V* const p = reinterpret_cast<const V*>(psi);
  with_lane_xor<R>(flip_bits & (W - 1), [&](auto lane) {
    constexpr int A = decltype(lane)::value;
    for (u32 r = 0; r < half; ++r) {
      const V x = p[r], y = p[r + half];
      const V re = lane_xor<R, A>(p[r ^ flip]), im = lane_xor<R, A>(p[(r ^ flip) + half]);
      if (real) store_doubles<R>(real + std::size_t{r} * W, x * re + y * im);
      if (imag) store_doubles<R>(imag + std::size_t{r} * W, x * im - y * re);
    }
  });
}

template <class R>
double dot(const R* a, const R* b, std::size_t count) {
  using V = Vec<R>;
  const V* const x = reinterpret_cast<const V*>(a);
  const V* const y = reinterpret_cast<const V*>(b);
  V s0 = {}, s1 = {};
  const std::size_t rows = count / Simd<R>::W;
  std::size_t r = 0;
  for (; r + 2 <= rows; r += 2) {
    s0 += x[r] * y[r];
    s1 += x[r + 1] * y[r + 1];
  }
  if (r < rows) s0 += x[r] * y[r];
  return sum_lanes<R>(s0 + s1);
}
