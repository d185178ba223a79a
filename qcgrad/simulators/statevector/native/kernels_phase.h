// Diagonal phases, index permutations, tables, and moving tiles. Included inside one instruction set's namespace.

// Lane permutations by the lane-xor part of a row map's entries, or of their inverses.
template <class R>
struct LaneMaps {
  LanePermutation<R> by_xor[Simd<R>::W];
  LaneMaps(const RowMap& map, bool inverse) {
    for (int x = 0; x < Simd<R>::W; ++x)
      for (int l = 0; l < Simd<R>::W; ++l) {
        const int source = map.lanes[l] ^ x;
        inverse ? by_xor[x].set(source, l) : by_xor[x].set(l, source);
      }
  }
};
inline bool moves_lanes(const RowMap& map) { return !map.plain || (map.shift & 31); }

enum class Moves { kNothing, kRows, kRowsAndLanes };

template <class R, bool GRAD, bool TABLE, Moves MOVES, bool BACK>
void phase_impl(R* psi, R* lambda, const PhaseArgs<R>& g) {
  using V = Vec<R>;
  constexpr int L = Simd<R>::lanes, W = Simd<R>::W;
  const u32 low_rows = u32{1} << (g.low_bits - L), high = u32{1} << (g.tile_bits - g.low_bits);
  const std::size_t half = std::size_t{1} << (g.tile_bits - L);
  const V* const low_re = reinterpret_cast<const V*>(g.low);
  const V* const low_im = low_re + low_rows;
  const V* const table_re = reinterpret_cast<const V*>(g.table);
  const V* const table_im = table_re + half;
  const V table_sign = splat<R>(g.conjugate_table ? -1 : 1);
  V* const sum_low = reinterpret_cast<V*>(g.sum_low);
  V* p = reinterpret_cast<V*>(psi);
  V* q = reinterpret_cast<V*>(lambda);
  V* const tp = MOVES == Moves::kNothing ? p : reinterpret_cast<V*>(g.to_psi);
  V* const tq = MOVES == Moves::kNothing ? q : reinterpret_cast<V*>(g.to_lambda);
  [[maybe_unused]] const LaneMaps<R> lane_maps = [&] {
    static const int none[16] = {};
    RowMap map = g.map;
    if (MOVES != Moves::kRowsAndLanes) map.lanes = none;
    return LaneMaps<R>(map, BACK);
  }();
  if (GRAD && sum_low)
    for (u32 l = 0; l < low_rows; ++l) sum_low[l] = V{};
  for (u32 h = 0; h < high; ++h) {
    const V high_re = splat<R>(g.high[2 * h]), high_im = splat<R>(g.high[2 * h + 1]);
    V sum = {};
    for (u32 l = 0; l < low_rows; ++l) {
      const std::size_t r = std::size_t{h} * low_rows + l;
      V re = low_re[l] * high_re - low_im[l] * high_im;
      V im = low_re[l] * high_im + low_im[l] * high_re;
      if constexpr (TABLE) {
        const V tr = table_re[r], ti = table_im[r] * table_sign, re0 = re;
        re = re0 * tr - im * ti;
        im = re0 * ti + im * tr;
      }
      std::size_t from = r, to = r;
      [[maybe_unused]] const LanePermutation<R>* lanes = nullptr;
      if constexpr (MOVES != Moves::kNothing) {
        const u32 entry = g.map.rows[r] ^ g.map.shift;
        (BACK ? to : from) = entry >> 5;
        lanes = &lane_maps.by_xor[entry & (W - 1)];
      }
      const auto read = [&](const V* v) {
        if constexpr (MOVES == Moves::kRowsAndLanes && !BACK) return lanes->apply(*v);
        return *v;
      };
      const auto write = [&](V* v, V x) {
        if constexpr (MOVES == Moves::kRowsAndLanes && BACK)
          *v = lanes->apply(x);
        else
          *v = x;
      };
      const V a = read(p + from), b = read(p + from + half);
      if constexpr (GRAD) {
        const V c = read(q + from), d = read(q + from + half);
        const V w = c * b - d * a;
        if (sum_low) {
          sum_low[l] += w;
          sum += w;
        }
        if (g.sum_all) add_to_doubles<R>(g.sum_all + r * W, w);
        write(tq + to, c * re - d * im);
        write(tq + to + half, c * im + d * re);
      }
      write(tp + to, a * re - b * im);
      write(tp + to + half, a * im + b * re);
    }
    if (GRAD && sum_low) g.sum_high[h] = static_cast<R>(sum_lanes<R>(sum));
  }
}

template <class R, bool GRAD, bool TABLE>
void phase_pick(R* psi, R* lambda, const PhaseArgs<R>& g) {
  // Forward sweeps permute before, backward sweeps after: BACK always goes with GRAD.
  if (!g.to_psi)
    phase_impl<R, GRAD, TABLE, Moves::kNothing, GRAD>(psi, lambda, g);
  else if (moves_lanes(g.map))
    phase_impl<R, GRAD, TABLE, Moves::kRowsAndLanes, GRAD>(psi, lambda, g);
  else
    phase_impl<R, GRAD, TABLE, Moves::kRows, GRAD>(psi, lambda, g);
}

template <class R>
void phase(R* psi, R* lambda, const PhaseArgs<R>& g) {
  if (lambda)
    g.table ? phase_pick<R, true, true>(psi, lambda, g) : phase_pick<R, true, false>(psi, lambda, g);
  else
    g.table ? phase_pick<R, false, true>(psi, lambda, g) : phase_pick<R, false, false>(psi, lambda, g);
}

// ---- permutations -------------------------------------------------------------------------------------------
template <class R>
void row_map(const R* from, R* to, int tile_bits, const RowMap& map) {
  using V = Vec<R>;
  const std::size_t half = std::size_t{1} << (tile_bits - Simd<R>::lanes);
  const V* const s = reinterpret_cast<const V*>(from);
  V* const d = reinterpret_cast<V*>(to);
  if (!moves_lanes(map)) {
    for (std::size_t r = 0; r < half; ++r) {
      const u32 e = (map.rows[r] ^ map.shift) >> 5;
      d[r] = s[e];
      d[r + half] = s[e + half];
    }
    return;
  }
  const LaneMaps<R> lane_maps(map, false);
  for (std::size_t r = 0; r < half; ++r) {
    const u32 e = map.rows[r] ^ map.shift;
    const LanePermutation<R>& lanes = lane_maps.by_xor[e & 31];
    d[r] = lanes.apply(s[e >> 5]);
    d[r + half] = lanes.apply(s[(e >> 5) + half]);
  }
}

// Rows with parity(row & form) != parity keep their lanes; the others get them xor-ed.
template <class R>
void lane_flip(R* data, int tile_bits, u32 row_form, u32 par, u32 lane_mask) {
  const u32 half = u32{1} << (tile_bits - Simd<R>::lanes);
  Vec<R>* const d = reinterpret_cast<Vec<R>*>(data);
  with_lane_xor<R>(lane_mask, [&](auto a) {
    for (u32 r = 0; r < 2 * half; ++r)
      if (parity32((r & (half - 1)) & row_form) ^ par) d[r] = lane_xor<R, decltype(a)::value>(d[r]);
  });
}

// Lanes with odd parity move to row xor row_mask.
template <class R>
void lane_control(R* data, int tile_bits, u32 lane_form, u32 par, u32 row_mask) {
  using V = Vec<R>;
  using I = typename Simd<R>::I;
  const u32 rows = u32{1} << (tile_bits + 1 - Simd<R>::lanes);
  V* const d = reinterpret_cast<V*>(data);
  I moves = {};
  for (int l = 0; l < Simd<R>::W; ++l) moves[l] = (parity32(lane_form & l) ^ par) ? -1 : 0;
  const u32 pivot = top_bit(row_mask);
  for (u32 h = 0; h < rows; h += 2 * pivot)
    for (u32 r = h; r < h + pivot; ++r) {
      const V x = d[r], y = d[r ^ row_mask];
      d[r] = moves ? y : x;
      d[r ^ row_mask] = moves ? x : y;
    }
}

template <class R>
void gather(const R* source, u64 base, const u64* runs, std::size_t num_runs, std::size_t run, u64 reach, R* to) {
  using V = Vec<R>;
  const std::size_t vectors = run / Simd<R>::W;
  V* d = reinterpret_cast<V*>(to);
  for (std::size_t i = 0; i < num_runs; ++i, d += vectors) {
    const u64 address = base ^ runs[i];
    if (address & ~reach) {
      for (std::size_t k = 0; k < vectors; ++k) d[k] = V{};
    } else {
      const V* s = reinterpret_cast<const V*>(source + padded<R>(address));
      for (std::size_t k = 0; k < vectors; ++k) d[k] = s[k];
    }
  }
}

template <class R>
void scatter(R* target, u64 base, const u64* runs, std::size_t num_runs, std::size_t run, u64 reach, const R* from) {
  using V = Vec<R>;
  const std::size_t vectors = run / Simd<R>::W;
  const V* s = reinterpret_cast<const V*>(from);
  for (std::size_t i = 0; i < num_runs; ++i, s += vectors) {
    const u64 address = base ^ runs[i];
    if (address & ~reach) continue;
    V* d = reinterpret_cast<V*>(target + padded<R>(address));
    for (std::size_t k = 0; k < vectors; ++k) d[k] = s[k];
  }
}

// ---- dense blocks -------------------------------------------------------------------------------------------
// Plain storage instead of std::vector: see kernels_impl.h about inline functions shared between instruction sets.
template <class T>
struct Scratch {
  explicit Scratch(std::size_t count) : raw(std::malloc(count * sizeof(T) + 64)) {
    data = reinterpret_cast<T*>((reinterpret_cast<std::uintptr_t>(raw) + 63) & ~std::uintptr_t{63});
  }
  ~Scratch() { std::free(raw); }
  Scratch(const Scratch&) = delete;
  T& operator[](std::size_t i) { return data[i]; }
  void* raw;
  T* data;
};

template <class R>
void dense(R* data, const DenseArgs<R>& g) {
  using V = Vec<R>;
  constexpr int L = Simd<R>::lanes, W = Simd<R>::W;
  const int k = g.num_bits, dim = 1 << k;
  Scratch<u32> offset(dim);
  for (int j = 0; j < dim; ++j) offset[j] = 0;
  bool rows_only = true;
  u32 used = 0;
  for (int w = 0; w < k; ++w) {
    const int bit = g.bits[w];
    used |= u32{1} << bit;
    if (bit < L) rows_only = false;
    for (int j = 0; j < dim; ++j)
      if ((j >> (k - 1 - w)) & 1) offset[j] |= u32{1} << bit;
  }
  Scratch<R> re(dim * dim), im(dim * dim);
  for (int r = 0; r < dim; ++r)
    for (int c = 0; c < dim; ++c) {
      const int at = g.adjoint ? c * dim + r : r * dim + c;
      re[r * dim + c] = static_cast<R>(g.matrix[2 * at]);
      im[r * dim + c] = static_cast<R>(g.adjoint ? -g.matrix[2 * at + 1] : g.matrix[2 * at + 1]);
    }
  const u32 size = u32{1} << g.tile_bits;
  if (rows_only) {
    Scratch<R> in(std::size_t{2} * dim * W);
    V *const in_re = reinterpret_cast<V*>(in.data), *const in_im = in_re + dim;
    for (u32 p = 0; p < size; p += W) {
      if (p & used) continue;
      for (int j = 0; j < dim; ++j) {
        in_re[j] = *reinterpret_cast<V*>(data + (p | offset[j]));
        in_im[j] = *reinterpret_cast<V*>(data + size + (p | offset[j]));
      }
      for (int r = 0; r < dim; ++r) {
        V a = {}, b = {};
        for (int c = 0; c < dim; ++c) {
          const R x = re[r * dim + c], y = im[r * dim + c];
          a += in_re[c] * x - in_im[c] * y;
          b += in_re[c] * y + in_im[c] * x;
        }
        *reinterpret_cast<V*>(data + (p | offset[r])) = a;
        *reinterpret_cast<V*>(data + size + (p | offset[r])) = b;
      }
    }
    return;
  }
  Scratch<R> in_re(dim), in_im(dim);
  for (u32 p = 0; p < size; ++p) {
    if (p & used) continue;
    for (int j = 0; j < dim; ++j) in_re[j] = data[p | offset[j]], in_im[j] = data[size + (p | offset[j])];
    for (int r = 0; r < dim; ++r) {
      R a = 0, b = 0;
      for (int c = 0; c < dim; ++c) {
        const R x = re[r * dim + c], y = im[r * dim + c];
        a += in_re[c] * x - in_im[c] * y;
        b += in_re[c] * y + in_im[c] * x;
      }
      data[p | offset[r]] = a;
      data[size + (p | offset[r])] = b;
    }
  }
}

// ---- tables -------------------------------------------------------------------------------------------------
template <int K>
inline Vec<double> walsh_lanes(Vec<double> v) {
  if constexpr ((1 << K) < Simd<double>::W) {
    Vec<double> sign = signed_splat<double>(1, 1 << K, 0);
    return walsh_lanes<K + 1>(v * sign + lane_xor<double, (1 << K)>(v));
  } else {
    return v;
  }
}

inline void walsh(double* values, int bits) {
  using V = Vec<double>;
  constexpr int L = Simd<double>::lanes;
  if (bits < L) {
    for (u32 s = 1; s < (u32{1} << bits); s *= 2)
      for (u32 j = 0; j < (u32{1} << bits); ++j)
        if (!(j & s)) {
          const double a = values[j], b = values[j | s];
          values[j] = a + b;
          values[j | s] = a - b;
        }
    return;
  }
  V* const d = reinterpret_cast<V*>(values);
  const std::size_t rows = std::size_t{1} << (bits - L);
  for (std::size_t r = 0; r < rows; ++r) d[r] = walsh_lanes<0>(d[r]);
  std::size_t s = 1;
  if ((bits - L) & 1) {
    for (std::size_t r = 0; r < rows; r += 2) {
      const V a = d[r], b = d[r + 1];
      d[r] = a + b;
      d[r + 1] = a - b;
    }
    s = 2;
  }
  for (; s < rows; s *= 4)
    for (std::size_t h = 0; h < rows; h += 4 * s)
      for (std::size_t r = h; r < h + s; ++r) {
        const V a = d[r], b = d[r + s], c = d[r + 2 * s], e = d[r + 3 * s];
        const V ab = a + b, amb = a - b, ce = c + e, cme = c - e;
        d[r] = ab + ce;
        d[r + s] = amb + cme;
        d[r + 2 * s] = ab - ce;
        d[r + 3 * s] = amb - cme;
      }
}

// Cody-Waite reduction to [-pi/4, pi/4] and Taylor polynomials; angles are bounded by the callers (a few thousand),
// so three constants are exact enough. NaN and infinities come out as NaN.
template <class R>
void cos_sin(const double* angles, std::size_t count, R* out) {
  using V = Vec<double>;
  using I = Simd<double>::I;
  constexpr int W = Simd<double>::W;
  constexpr double kMagic = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to an integer in the low bits
  for (std::size_t i = 0; i < count; i += W) {
    const V a = *reinterpret_cast<const V*>(angles + i);
    const V shifted = a * 0.63661977236758134308 + kMagic;
    const I quadrant = reinterpret_cast<const I&>(shifted);
    const V k = shifted - kMagic;
    V r = a - k * 1.57079632673412561417e+00;
    r = r - k * 6.07710050630396597660e-11;
    r = r - k * 2.02226624879595063154e-21;
    const V z = r * r;
    V s = splat<double>(1.0 / 355687428096000.0);
    s = s * z - 1.0 / 1307674368000.0;
    s = s * z + 1.0 / 6227020800.0;
    s = s * z - 1.0 / 39916800.0;
    s = s * z + 1.0 / 362880.0;
    s = s * z - 1.0 / 5040.0;
    s = s * z + 1.0 / 120.0;
    s = s * z - 1.0 / 6.0;
    s = r + r * z * s;
    V c = splat<double>(1.0 / 20922789888000.0);
    c = c * z - 1.0 / 87178291200.0;
    c = c * z + 1.0 / 479001600.0;
    c = c * z - 1.0 / 3628800.0;
    c = c * z + 1.0 / 40320.0;
    c = c * z - 1.0 / 720.0;
    c = c * z + 1.0 / 24.0;
    c = 1.0 - 0.5 * z + z * z * c;
    const I odd = -(quadrant & 1);
    const V cosine = odd ? s : c, sine = odd ? c : s;
    const I flip_cos = -(((quadrant + 1) >> 1) & 1), flip_sin = -((quadrant >> 1) & 1);
    const V cr = flip_cos ? -cosine : cosine, sr = flip_sin ? -sine : sine;
    for (int l = 0; l < W; ++l) {
      out[i + l] = static_cast<R>(cr[l]);
      out[count + i + l] = static_cast<R>(sr[l]);
    }
  }
}
