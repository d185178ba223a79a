// Measuring: random numbers, where they fall in a distribution, and what the outcomes say about Pauli strings. Included
// inside one instruction set's namespace.

typedef u64 Words __attribute__((vector_size(QCGRAD_VECTOR_BYTES), may_alias));

// The 64-bit products of the lower halves.
inline Words multiply_low(Words a, Words b) {
#if defined(__AVX512F__) && QCGRAD_VECTOR_BYTES == 64
  return reinterpret_cast<Words>(_mm512_mul_epu32(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(__AVX2__) && QCGRAD_VECTOR_BYTES == 32
  return reinterpret_cast<Words>(_mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif defined(__SSE2__) && QCGRAD_VECTOR_BYTES == 16
  return reinterpret_cast<Words>(_mm_mul_epu32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#else
  const Words low = Words{} + 0xffffffffu;
  return (a & low) * (b & low);
#endif
}

// Words below 2^53 as numbers, exactly: each half behind the exponent that makes its bits count as they are.
inline Vec<double> to_doubles(Words w) {
  const Words high = (w >> 32) | (Words{} + 0x4530000000000000u);          // 2^84 + 2^32 (w >> 32)
  const Words low = (w & 0xffffffffu) | (Words{} + 0x4330000000000000u);  // 2^52 + lower half
  return (reinterpret_cast<const Vec<double>&>(high) - splat<double>(0x1.00000001p84)) +
         reinterpret_cast<const Vec<double>&>(low);
}

// Philox 4x32-10: a block of four words in each lane of four vectors, which only their lower halves count of.
inline void uniforms(const DrawStream& stream, u64 chunk, double* out) {
  constexpr int kRounds = 10;
  constexpr std::size_t W = Simd<double>::W, half = kDrawChunk / 2;
  const Words low = Words{} + 0xffffffffu, m0 = Words{} + 0xD2511F53u, m1 = Words{} + 0xCD9E8D57u;
  const Vec<double> unit = splat<double>(0x1p-53);
  Words lane, k0[kRounds], k1[kRounds];
  for (std::size_t l = 0; l < W; ++l) lane[l] = l;
  for (u32 round = 0; round < kRounds; ++round) {
    k0[round] = Words{} + (stream.key[0] + round * 0x9E3779B9u);
    k1[round] = Words{} + (stream.key[1] + round * 0xBB67AE85u);
  }
  for (std::size_t i = 0; i < half; i += W) {
    const Words counter = lane + (chunk * half + i);
    Words c0 = counter, c1 = counter >> 32, c2 = Words{} + stream.basis, c3 = Words{} + stream.setting;
    for (int round = 0; round < kRounds; ++round) {
      const Words p0 = multiply_low(m0, c0), p1 = multiply_low(m1, c2);
      c0 = (p1 >> 32) ^ c1 ^ k0[round];
      c2 = (p0 >> 32) ^ c3 ^ k1[round];
      c1 = p1;
      c3 = p0;
    }
    *reinterpret_cast<Vec<double>*>(out + i) = to_doubles(((c1 << 32) | (c0 & low)) >> 11) * unit;
    *reinterpret_cast<Vec<double>*>(out + half + i) = to_doubles(((c3 << 32) | (c2 & low)) >> 11) * unit;
  }
}

#if defined(__AVX512F__) && QCGRAD_VECTOR_BYTES == 64
// As `locate`, with up to 16 ends in registers.
inline void locate_few(const double* ends, u64 count, const double* targets, u64* places) {
  double padded[16] = {};
  for (u64 c = 0; c < count; ++c) padded[c] = ends[c];
  const __m512d low = _mm512_loadu_pd(padded), high = _mm512_loadu_pd(padded + 8);
  for (std::size_t i = 0; i < kDrawChunk; i += 8) {
    const __m512d target = _mm512_load_pd(targets + i);
    __m512i place = _mm512_setzero_si512();
    for (u64 step = count >> 1; step; step >>= 1) {
      const __m512i last = _mm512_add_epi64(place, _mm512_set1_epi64(static_cast<long long>(step - 1)));
      const __mmask8 passed = _mm512_cmp_pd_mask(_mm512_permutex2var_pd(low, last, high), target, _CMP_LE_OQ);
      place = _mm512_mask_add_epi64(place, passed, place, _mm512_set1_epi64(static_cast<long long>(step)));
    }
    _mm512_store_si512(places + i, place);
  }
}
#endif

// For each target the first of a power of two of ascending ends that exceeds it. No branch depends on the targets, and
// all of them take a step together, so that the processor works on many at a time.
inline void locate(const double* ends, u64 count, const double* targets, u64* places) {
#if defined(__AVX512F__) && QCGRAD_VECTOR_BYTES == 64
  if (count <= 16) return locate_few(ends, count, targets, places);
#endif
  for (std::size_t i = 0; i < kDrawChunk; ++i) places[i] = 0;
  for (u64 step = count >> 1; step; step >>= 1) {
    const double* const last = ends + step - 1;
    for (std::size_t i = 0; i < kDrawChunk; ++i) places[i] += last[places[i]] <= targets[i] ? step : 0;
  }
}

// Probabilities of 2^block_bits outcomes at a time, up to a common factor, of `blocks` blocks stored one after the other.
template <class R>
inline void block_sums(const MixedArgs<R>& args, int block_bits, std::size_t blocks, double* sums) {
  const std::size_t size = std::size_t{1} << block_bits, all = blocks << block_bits;
  constexpr std::size_t kPart = 64;  // a multiple of every block
  double p[kPart];
  const double a = args.weight[0], b = args.weight[1];
  for (std::size_t first = 0; first < all; first += kPart) {
    const std::size_t count = all - first < kPart ? all - first : kPart;
    const R *const re = args.re[0] + first, *const im = args.im[0] + first;
    if (args.re[1]) {
      const R *const other_re = args.re[1] + first, *const other_im = args.im[1] + first;
      for (std::size_t i = 0; i < count; ++i) {
        const double x = a * re[i] + b * other_re[i], y = a * im[i] + b * other_im[i];
        p[i] = x * x + y * y;
      }
    } else {
      for (std::size_t i = 0; i < count; ++i) {
        const double x = re[i], y = im[i];
        p[i] = x * x + y * y;
      }
    }
    for (std::size_t block = 0; block < count; block += size) {
      for (std::size_t half = size >> 1; half; half >>= 1)
        for (std::size_t i = 0; i < half; ++i) p[block + i] += p[block + half + i];
      sums[(first + block) >> block_bits] = p[block];
    }
  }
}

template <class R>
inline void pair_products(const MixedArgs<R>& args, std::size_t count, double* products) {
  const R *const re = args.re[0], *const im = args.im[0], *const other_re = args.re[1], *const other_im = args.im[1];
  for (std::size_t i = 0; i < count; ++i) {
    const double a = re[i], b = im[i], x = other_re[i], y = other_im[i];
    products[2 * i] = x * x + y * y;
    products[2 * i + 1] = a * x + b * y;
  }
}

inline void string_values(const u64* outcomes, std::size_t count, const u64* supports, const double* coefficients,
                          std::size_t terms, double* values) {
  using V = Vec<double>;
  constexpr std::size_t W = Simd<double>::W;
  const Words sign = Words{} + (u64{1} << 63);
  for (std::size_t i = 0; i < count; i += W) {
    const Words outcome = *reinterpret_cast<const Words*>(outcomes + i);
    V sum = {};
    for (std::size_t t = 0; t < terms; ++t) {
      // Folded upwards, the parity ends in the top bit: the sign of a double.
      Words bits = outcome & supports[t];
      bits ^= bits << 32;
      bits ^= bits << 16;
      bits ^= bits << 8;
      bits ^= bits << 4;
      bits ^= bits << 2;
      bits ^= bits << 1;
      const V coefficient = splat<double>(coefficients[t]);
      sum += reinterpret_cast<V>(reinterpret_cast<const Words&>(coefficient) ^ (bits & sign));
    }
    *reinterpret_cast<V*>(values + i) = sum;
  }
}

// Adds the sums of (value - origin) and of its square.
inline void moments(const double* values, std::size_t count, double origin, double* sums) {
  using V = Vec<double>;
  constexpr std::size_t W = Simd<double>::W;
  V first = {}, second = {};
  std::size_t i = 0;
  for (; i + W <= count; i += W) {
    const V d = *reinterpret_cast<const V*>(values + i) - splat<double>(origin);
    first += d;
    second += d * d;
  }
  for (std::size_t l = 0; l < W; ++l) sums[0] += first[l], sums[1] += second[l];
  for (; i < count; ++i) {
    const double d = values[i] - origin;
    sums[0] += d;
    sums[1] += d * d;
  }
}
