// Linear maps of two qubits: of sixteen Pauli coefficients of a density matrix, or of the eight real numbers that are
// four amplitudes; and rotations by Pauli strings. Included by kernels_impl.h.

// Rows of a tile are what the map mixes, columns are lanes of the rest.
template <class R, int Rows>
struct SuperopTile {
  alignas(64) R at[Rows][kSuperopLanes];
};

template <int Run, class R, int Rows>
inline void gather_runs(const R* from, const SuperopGeometry& g, SuperopTile<R, Rows>& to) {
  for (int row = 0; row < Rows; ++row)
    for (int l = 0; l < g.lanes; l += Run)
      for (int k = 0; k < Run; ++k) to.at[row][l + k] = from[g.row[row] + g.lane[l] + static_cast<u64>(k)];
}
template <int Run, class R, int Rows>
inline void scatter_runs(const SuperopTile<R, Rows>& from, const SuperopGeometry& g, R* to) {
  for (int row = 0; row < Rows; ++row)
    for (int l = 0; l < g.lanes; l += Run)
      for (int k = 0; k < Run; ++k) to[g.row[row] + g.lane[l] + static_cast<u64>(k)] = from.at[row][l + k];
}
template <class R, int Rows>
inline void gather_tile(const R* from, const SuperopGeometry& g, SuperopTile<R, Rows>& to) {
  if (g.run >= 16) return gather_runs<16>(from, g, to);
  if (g.run >= 4) return gather_runs<4>(from, g, to);
  if (g.run == 2) return gather_runs<2>(from, g, to);
  gather_runs<1>(from, g, to);
}
template <class R, int Rows>
inline void scatter_tile(const SuperopTile<R, Rows>& from, const SuperopGeometry& g, R* to) {
  if (g.run >= 16) return scatter_runs<16>(from, g, to);
  if (g.run >= 4) return scatter_runs<4>(from, g, to);
  if (g.run == 2) return scatter_runs<2>(from, g, to);
  scatter_runs<1>(from, g, to);
}

// The vectors of two columns become M times themselves; row i of `m` is what input i adds to each output.
template <class R, int Rows>
inline void apply_columns(const R* m, R* const rows[Rows], int column) {
  using V = Vec<R>;
  constexpr int W = Simd<R>::W;
  V in[Rows][2];
  for (int i = 0; i < Rows; ++i)
    for (int v = 0; v < 2; ++v) in[i][v] = *reinterpret_cast<const V*>(rows[i] + column + v * W);
  for (int o = 0; o < Rows; o += 4) {
    V out[4][2] = {};
    for (int i = 0; i < Rows; ++i)
      for (int k = 0; k < 4; ++k)
        for (int v = 0; v < 2; ++v) out[k][v] += in[i][v] * m[Rows * i + o + k];
    for (int k = 0; k < 4; ++k)
      for (int v = 0; v < 2; ++v) *reinterpret_cast<V*>(rows[o + k] + column + v * W) = out[k][v];
  }
}

template <class R, int Rows>
void superop_apply(R* r, const SuperopGeometry& g, u64 first, u64 last, const R* m) {
  SuperopTile<R, Rows> tile = {};
  R* rows[Rows];
  // Whole cache lines stand where they are needed; other tiles are copied. Aligned, since `run` columns are.
  const bool in_place = g.run == kSuperopLanes;
  for (u64 t = first; t < last; ++t) {
    R* const base = r + padded<R>(superop_base(g, t));
    for (int i = 0; i < Rows; ++i) rows[i] = in_place ? base + g.row[i] : tile.at[i];
    if (!in_place) gather_tile(base, g, tile);
    for (int column = 0; column < g.lanes; column += 2 * Simd<R>::W) apply_columns<R, Rows>(m, rows, column);
    if (!in_place) scatter_tile(tile, g, base);
  }
}

// sums[Rows o + i] += sum over the rest of lambda(o) r(i).
template <class R, int Rows>
void superop_transition(const R* lambda, const R* r, const SuperopGeometry& g, u64 first, u64 last, double* sums) {
  using V = Vec<R>;
  constexpr int W = Simd<R>::W;
  SuperopTile<R, Rows> left = {}, right = {};
  for (u64 t = first; t < last; ++t) {
    const u64 base = padded<R>(superop_base(g, t));
    gather_tile(lambda + base, g, left);
    gather_tile(r + base, g, right);
    for (int o = 0; o < Rows; o += 4)
      for (int i = 0; i < Rows; i += 2) {
        V sum[4][2] = {};
        for (int column = 0; column < g.lanes; column += W)
          for (int k = 0; k < 4; ++k)
            for (int j = 0; j < 2; ++j)
              sum[k][j] += *reinterpret_cast<const V*>(left.at[o + k] + column) *
                           *reinterpret_cast<const V*>(right.at[i + j] + column);
        for (int k = 0; k < 4; ++k)
          for (int j = 0; j < 2; ++j) sums[Rows * (o + k) + i + j] += sum_lanes<R>(sum[k][j]);
      }
  }
}

// r(Q)' = cos r(Q) + sin s(Q) r(Q P) where P and Q anticommute, for pairs numbered first to last (of size / 2); iPQ is
// s(Q) times a string.
template <class R>
void string_rotate(R* r, u64 string, u64 first, u64 last, double cosine, double sine) {
  const R c = static_cast<R>(cosine), s = static_cast<R>(sine);
  const int top = 63 - __builtin_clzll(string);
  for (u64 pair = first; pair < last; ++pair) {
    const u64 q = insert_zero(pair, top), partner = q ^ string;
    const int sign = string_sign(string, q);
    if (!sign) continue;
    R &a = r[padded<R>(q)], &b = r[padded<R>(partner)];
    const R turned = sign > 0 ? s : -s, before = a;
    a = c * before + turned * b;
    b = c * b - turned * before;
  }
}

// Adds lambda.r over commuting strings, over the others, and the sum that the sine multiplies.
template <class R>
void string_transition(const R* lambda, const R* r, u64 string, u64 first, u64 last, double* sums) {
  for (u64 q = first; q < last; ++q) {
    const int sign = string_sign(string, q);
    const double left = static_cast<double>(lambda[padded<R>(q)]);
    sums[sign ? 1 : 0] += left * static_cast<double>(r[padded<R>(q)]);
    if (sign) sums[2] += sign * left * static_cast<double>(r[padded<R>(q ^ string)]);
  }
}

// psi' = c psi - i s P psi, P = i^|x & z| X^x Z^z, for pairs numbered first to last (of size / 2), or for single amplitudes
// where x is 0. (real, imaginary) is -i s i^|x & z|.
template <class R>
void state_rotate(R* re, R* im, u64 x, u64 z, u64 first, u64 last, double cosine, double real, double imaginary) {
  const R c = static_cast<R>(cosine), fr = static_cast<R>(real), fi = static_cast<R>(imaginary);
  const int top = x ? 63 - __builtin_clzll(x) : 0;
  for (u64 pair = first; pair < last; ++pair) {
    const u64 j = x ? insert_zero(pair, top) : pair, k = j ^ x, a = padded<R>(j), b = padded<R>(k);
    const R to_j = parity(z & k) ? R{-1} : R{1}, to_k = parity(z & j) ? R{-1} : R{1};
    const R ar = re[a], ai = im[a], br = re[b], bi = im[b];
    re[a] = c * ar + to_j * (fr * br - fi * bi);
    im[a] = c * ai + to_j * (fr * bi + fi * br);
    if (!x) continue;
    re[b] = c * br + to_k * (fr * ar - fi * ai);
    im[b] = c * bi + to_k * (fr * ai + fi * ar);
  }
}
