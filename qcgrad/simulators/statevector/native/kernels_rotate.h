// Exponentials of Pauli strings on a tile. Included inside the namespace of one instruction set.

// ---- two row rotations in one sweep -------------------------------------------------------------------------
// Four rows that the two flips connect: a (both parities 0), b = a^flip1, c = a^flip2, d = a^flip1^flip2.
// `crossed`: the sign masks are equal, so the second pair of each rotation runs the other way round.
template <class R, bool COT>
inline void turn(Vec<R>& x, Vec<R>& y, Vec<R> t) {
  const Vec<R> x0 = x;
  if constexpr (COT) {
    x = y + t * x0;
    y = t * y - x0;
  } else {
    x = x0 + t * y;
    y = y - t * x0;
  }
}

template <class R, bool COT1, bool COT2, bool CROSSED>
inline void turn4(Vec<R>& a, Vec<R>& b, Vec<R>& c, Vec<R>& d, Vec<R> t1, Vec<R> t2) {
  turn<R, COT1>(a, b, t1);
  if constexpr (CROSSED)
    turn<R, COT1>(d, c, t1);
  else
    turn<R, COT1>(c, d, t1);
  turn<R, COT2>(a, c, t2);
  if constexpr (CROSSED)
    turn<R, COT2>(d, b, t2);
  else
    turn<R, COT2>(b, d, t2);
}

template <class R, bool COT1, bool COT2, bool CROSSED, bool GRAD>
void rotate2_impl(R* psi, R* lambda, int tile_bits, const Rotate2Args& g, double* sums, PrefetchCursor* cursor) {
  using V = Vec<R>;
  constexpr int L = Simd<R>::lanes;
  V* const p = reinterpret_cast<V*>(psi);
  V* const q = reinterpret_cast<V*>(lambda);
  const u32 rows = u32{1} << (tile_bits + 1 - L);
  const u32 f1 = g.flip1 >> L, s1 = g.sign1 >> L, f2 = g.flip2 >> L, s2 = g.sign2 >> L;
  const V t1 = splat<R>(g.t1), t2 = splat<R>(g.t2);
  const u32 pivot1 = top_bit(f1);
  const u32 pivot2 = top_bit((f2 & pivot1) ? f2 ^ f1 : f2);
  const u32 low = pivot1 < pivot2 ? pivot1 : pivot2, high = pivot1 < pivot2 ? pivot2 : pivot1;
  u32 run = low_run(f1 | f2 | s1 | s2);
  if (run > low) run = low;
  V sum1 = {}, sum1b = {}, sum2 = {}, sum2b = {};
  std::size_t line = cursor->next;
  const std::size_t last_line = cursor->end;
  const u32 array_mask = (u32{1} << cursor->log2_arrays) - 1;
  for (u32 h = 0; h < rows; h += 2 * high)
    for (u32 m = h; m < h + high; m += 2 * low)
      for (u32 r0 = m; r0 < m + low; r0 += run) {
        u32 r = r0;
        if (parity32(r & s1) ^ g.parity1) r ^= f1;
        if (!CROSSED && (parity32(r & s2) ^ g.parity2)) r ^= f2;
        const u32 ib = r ^ f1, ic = r ^ f2, id = r ^ f1 ^ f2;
        V *pa = p + r, *pb = p + ib, *pc = p + ic, *pd = p + id;
        V *qa = q + r, *qb = q + ib, *qc = q + ic, *qd = q + id;
        for (u32 i = 0; i < run; ++i) {
          if (line < last_line) {
            __builtin_prefetch(cursor->at[line & array_mask] + cursor->offsets[line >> cursor->log2_arrays], 0, 2);
            ++line;
          }
          V a = pa[i], b = pb[i], c = pc[i], d = pd[i];
          if constexpr (GRAD) {
            V e = qa[i], f = qb[i], u = qc[i], w = qd[i];
            sum1 += e * b;
            sum1b -= f * a;
            sum2 += e * c;
            sum2b -= u * a;
            if constexpr (CROSSED) {
              sum1 += w * c;
              sum1b -= u * d;
              sum2 += w * b;
              sum2b -= f * d;
            } else {
              sum1 += u * d;
              sum1b -= w * c;
              sum2 += f * d;
              sum2b -= w * b;
            }
            turn4<R, COT1, COT2, CROSSED>(e, f, u, w, t1, t2);
            qa[i] = e, qb[i] = f, qc[i] = u, qd[i] = w;
          }
          turn4<R, COT1, COT2, CROSSED>(a, b, c, d, t1, t2);
          pa[i] = a, pb[i] = b, pc[i] = c, pd[i] = d;
        }
      }
  cursor->next = line;
  if (GRAD) {
    sums[0] = sum_lanes<R>(sum1 + sum1b);
    sums[1] = sum_lanes<R>(sum2 + sum2b);
  }
}

template <class R, bool COT1, bool COT2>
void rotate2_pick(R* psi, R* lambda, int tile_bits, const Rotate2Args& g, bool grad, double* sums,
                  PrefetchCursor* cursor) {
  if (g.crossed)
    grad ? rotate2_impl<R, COT1, COT2, true, true>(psi, lambda, tile_bits, g, sums, cursor)
         : rotate2_impl<R, COT1, COT2, true, false>(psi, lambda, tile_bits, g, sums, cursor);
  else
    grad ? rotate2_impl<R, COT1, COT2, false, true>(psi, lambda, tile_bits, g, sums, cursor)
         : rotate2_impl<R, COT1, COT2, false, false>(psi, lambda, tile_bits, g, sums, cursor);
}

template <class R>
void rotate2(R* psi, R* lambda, int tile_bits, const Rotate2Args& g, bool grad, double* sums,
                  PrefetchCursor* cursor) {
  if (g.cotangent1)
    g.cotangent2 ? rotate2_pick<R, true, true>(psi, lambda, tile_bits, g, grad, sums, cursor)
                 : rotate2_pick<R, true, false>(psi, lambda, tile_bits, g, grad, sums, cursor);
  else
    g.cotangent2 ? rotate2_pick<R, false, true>(psi, lambda, tile_bits, g, grad, sums, cursor)
                 : rotate2_pick<R, false, false>(psi, lambda, tile_bits, g, grad, sums, cursor);
}

// ---- one rotation with any flips and signs ------------------------------------------------------------------
template <class R, int A, bool UNIT, bool GRAD>
double rotate1_impl(R* psi, R* lambda, int tile_bits, const Rotate1Args& g) {
  using V = Vec<R>;
  constexpr int L = Simd<R>::lanes;
  constexpr u32 lane_mask = (u32{1} << L) - 1;
  V* const p = reinterpret_cast<V*>(psi);
  V* const q = reinterpret_cast<V*>(lambda);
  const u32 rows = u32{1} << (tile_bits + 1 - L);
  const u32 flip = g.flip >> L, sign = g.sign >> L;
  const V c = splat<R>(g.c);
  const V s[2] = {signed_splat<R>(g.s, g.sign & lane_mask, 0), signed_splat<R>(g.s, g.sign & lane_mask, 1)};
  const V one[2] = {splat<R>(1), splat<R>(-1)};
  V sum = {};
  if (flip == 0) {
    u32 run = sign ? low_run(sign) : rows;
    for (u32 r0 = 0; r0 < rows; r0 += run) {
      const int par = parity32(r0 & sign) ^ g.parity;
      const V t = s[par], o = one[par];
      for (u32 r = r0; r < r0 + run; ++r) {
        const V x = p[r], y = lane_xor<R, A>(x);
        if constexpr (GRAD) {
          const V u = q[r];
          sum += (u * o) * y;
          q[r] = (UNIT ? u : c * u) + t * lane_xor<R, A>(u);
        }
        p[r] = (UNIT ? x : c * x) + t * y;
      }
    }
    return GRAD ? signed_sum_lanes<R>(sum, g.sign & lane_mask) : 0;
  }
  const u32 pivot = top_bit(flip);
  u32 run = low_run(flip | sign);
  if (run > pivot) run = pivot;
  for (u32 h = 0; h < rows; h += 2 * pivot)
    for (u32 r0 = h; r0 < h + pivot; r0 += run) {
      const int par = parity32(r0 & sign) ^ g.parity;
      const V t = s[par], o = one[par];
      V *px = p + r0, *py = p + (r0 ^ flip), *qx = q + r0, *qy = q + (r0 ^ flip);
      for (u32 i = 0; i < run; ++i) {
        const V x = px[i], y = lane_xor<R, A>(py[i]);
        if constexpr (GRAD) {
          const V u = qx[i], v = lane_xor<R, A>(qy[i]);
          sum += o * (u * y - v * x);
          qx[i] = (UNIT ? u : c * u) + t * v;
          qy[i] = lane_xor<R, A>((UNIT ? v : c * v) - t * u);
        }
        px[i] = (UNIT ? x : c * x) + t * y;
        py[i] = lane_xor<R, A>((UNIT ? y : c * y) - t * x);
      }
    }
  return GRAD ? signed_sum_lanes<R>(sum, g.sign & lane_mask) : 0;
}

template <class R>
double rotate1(R* psi, R* lambda, int tile_bits, const Rotate1Args& g, bool grad) {
  double sum = 0;
  with_lane_xor<R>(g.flip & (Simd<R>::W - 1), [&](auto a) {
    constexpr int A = decltype(a)::value;
    if (g.unit)
      sum = grad ? rotate1_impl<R, A, true, true>(psi, lambda, tile_bits, g)
                 : rotate1_impl<R, A, true, false>(psi, lambda, tile_bits, g);
    else
      sum = grad ? rotate1_impl<R, A, false, true>(psi, lambda, tile_bits, g)
                 : rotate1_impl<R, A, false, false>(psi, lambda, tile_bits, g);
  });
  return sum;
}

// ---- rotations of the bits inside a vector, all in one sweep ------------------------------------------------
template <class R, int K, bool UNIT, bool GRAD>
inline void lane_step(Vec<R>& x, Vec<R>& u, const Vec<R>* c, const Vec<R>* s, Vec<R>* sum) {
  if constexpr ((1 << K) < Simd<R>::W) {
    const Vec<R> y = lane_xor<R, (1 << K)>(x);
    if constexpr (GRAD) {
      sum[K] += u * y;
      u = (UNIT ? u : c[K] * u) + s[K] * lane_xor<R, (1 << K)>(u);
    }
    x = (UNIT ? x : c[K] * x) + s[K] * y;
  }
}

template <class R, bool UNIT, bool GRAD>
void rotate_lanes_impl(R* psi, R* lambda, int tile_bits, const LaneRotation* g, double* sums) {
  using V = Vec<R>;
  constexpr int L = Simd<R>::lanes;
  V c[4] = {}, s[4] = {}, sum[4] = {};
  for (int k = 0; k < L; ++k) {
    c[k] = splat<R>(g[k].active ? g[k].c : 1);
    s[k] = g[k].active ? signed_splat<R>(g[k].s, g[k].sign, g[k].parity) : V{};
  }
  V* const p = reinterpret_cast<V*>(psi);
  V* const q = reinterpret_cast<V*>(lambda);
  const u32 rows = u32{1} << (tile_bits + 1 - L);
  for (u32 r = 0; r < rows; ++r) {
    V x = p[r], u = GRAD ? q[r] : V{};
    lane_step<R, 0, UNIT, GRAD>(x, u, c, s, sum);
    lane_step<R, 1, UNIT, GRAD>(x, u, c, s, sum);
    lane_step<R, 2, UNIT, GRAD>(x, u, c, s, sum);
    lane_step<R, 3, UNIT, GRAD>(x, u, c, s, sum);
    p[r] = x;
    if (GRAD) q[r] = u;
  }
  if (GRAD)
    for (int k = 0; k < L; ++k) {
      const double total = signed_sum_lanes<R>(sum[k], g[k].sign);
      sums[k] = g[k].parity ? -total : total;
    }
}

template <class R>
void rotate_lanes(R* psi, R* lambda, int tile_bits, const LaneRotation* g, bool unit, bool grad, double* sums) {
  if (unit)
    grad ? rotate_lanes_impl<R, true, true>(psi, lambda, tile_bits, g, sums)
         : rotate_lanes_impl<R, true, false>(psi, lambda, tile_bits, g, sums);
  else
    grad ? rotate_lanes_impl<R, false, true>(psi, lambda, tile_bits, g, sums)
         : rotate_lanes_impl<R, false, false>(psi, lambda, tile_bits, g, sums);
}

template <class R>
void scale_data(R* data, std::size_t count, double factor) {
  const Vec<R> f = splat<R>(factor);
  Vec<R>* const d = reinterpret_cast<Vec<R>*>(data);
  for (std::size_t r = 0; r < count / Simd<R>::W; ++r) d[r] *= f;
}

// ---- rotation by an index-dependent angle -------------------------------------------------------------------
template <class R, int A>
void group_impl(R* psi, R* lambda, const GroupArgs<R>& g) {
  using V = Vec<R>;
  constexpr int L = Simd<R>::lanes;
  V* const p = reinterpret_cast<V*>(psi);
  V* const q = reinterpret_cast<V*>(lambda);
  const u32 half = u32{1} << (g.tile_bits - L);
  const V* const cosine = reinterpret_cast<const V*>(g.table);
  const V* const sine = cosine + half;
  const u32 flip = g.flip >> L;
  const u32 pivot = flip ? top_bit(flip) : 0;
  for (u32 r = 0; r < 2 * half; ++r) {
    if (r & pivot) continue;
    const u32 w = r ^ flip;
    const V sign_r = splat<R>((g.imaginary && (r & half)) ? -1 : 1);
    const V sign_w = splat<R>((g.imaginary && (w & half)) ? -1 : 1);
    const V turn = splat<R>(g.inverse ? -1 : 1);
    const u32 tr = r & (half - 1), tw = w & (half - 1);
    const V cr = cosine[tr], sr = sine[tr] * sign_r * turn, cw = cosine[tw], sw = sine[tw] * sign_w * turn;
    const V x = p[r], y = p[w], xf = lane_xor<R, A>(x), yf = lane_xor<R, A>(y);
    if (q) {
      const V u = q[r], v = q[w], uf = lane_xor<R, A>(u), vf = lane_xor<R, A>(v);
      if (g.sum_all) {
        add_to_doubles<R>(g.sum_all + std::size_t{tr} * Simd<R>::W, sign_r * u * yf);
        if (flip) add_to_doubles<R>(g.sum_all + std::size_t{tw} * Simd<R>::W, sign_w * v * xf);
      }
      q[r] = cr * u + sr * vf;
      if (flip) q[w] = cw * v + sw * uf;
    }
    p[r] = cr * x + sr * yf;
    if (flip) p[w] = cw * y + sw * xf;
  }
}

template <class R>
void group(R* psi, R* lambda, const GroupArgs<R>& g) {
  with_lane_xor<R>(g.flip & (Simd<R>::W - 1), [&](auto a) { group_impl<R, decltype(a)::value>(psi, lambda, g); });
}
