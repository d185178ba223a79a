// What measured outcomes say about Pauli strings. Included inside one instruction set's namespace.

inline void string_values(const u64* outcomes, std::size_t count, const u64* supports, const double* coefficients,
                          std::size_t terms, double* values) {
  typedef u64 U __attribute__((vector_size(QCGRAD_VECTOR_BYTES), may_alias));
  using V = Vec<double>;
  constexpr std::size_t W = Simd<double>::W;
  const U sign = U{} + (u64{1} << 63);
  for (std::size_t i = 0; i < count; i += W) {
    const U outcome = *reinterpret_cast<const U*>(outcomes + i);
    V sum = {};
    for (std::size_t t = 0; t < terms; ++t) {
      // Folded upwards, the parity ends in the top bit: the sign of a double.
      U bits = outcome & supports[t];
      bits ^= bits << 32;
      bits ^= bits << 16;
      bits ^= bits << 8;
      bits ^= bits << 4;
      bits ^= bits << 2;
      bits ^= bits << 1;
      const V coefficient = splat<double>(coefficients[t]);
      sum += reinterpret_cast<V>(reinterpret_cast<const U&>(coefficient) ^ (bits & sign));
    }
    *reinterpret_cast<V*>(values + i) = sum;
  }
}
