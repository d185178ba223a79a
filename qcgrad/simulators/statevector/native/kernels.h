// The table of tile kernels one instruction set provides for one amplitude type.
//
// A tile of 2^m amplitudes is 2^(m+1) numbers: the real halves, then the imaginary halves. A row is one vector, so
// there are 2^(m - lanes) rows per half, and the row index has the re/im bit on top. psi and lambda tiles have the
// same layout; lambda may be null in kernels that take `grad` false.
#pragma once
#include "bits.h"
#include "superop.h"

namespace qcgrad {

// Two commuting exponentials whose flips and signs touch rows only. x' = x + t y, y' = y - t x on pairs where x has
// sign parity 0 ("tangent"), or x' = y + t x, y' = t y - x ("cotangent"); the common factor is left to the caller.
struct Rotate2Args {
  u32 flip1, sign1, parity1;
  u32 flip2, sign2, parity2;
  double t1, t2;
  bool cotangent1, cotangent2, crossed;
};

// Cache lines of the next tile, asked for a few at a time while this tile is being worked on: fetched all at once they
// would wait for each other, because a core has only a few dozen misses in flight.
struct PrefetchCursor {
  const char* at[4] = {};         // the next tile's base in each array
  int log2_arrays = 0;
  const u64* offsets = nullptr;   // bytes from there
  std::size_t next = 0, end = 0;  // position in arrays x offsets
};

// One exponential: x' = c x + s y with s multiplied by the sign; `unit` leaves c = 1 (tangent form).
struct Rotate1Args {
  u32 flip, sign, parity;  // over the m + 1 tile bits, lanes included
  double c, s;
  bool unit;
};

// One of several, carried out lane bit by lane bit; all of them are in tangent form (`unit`), or none.
struct LaneRotation {
  bool active;
  u32 sign, parity;  // `sign` within the lanes
  double c, s;
};

// A permutation that moves whole rows and permutes lanes within them.
struct RowMap {
  const u32* rows;   // destination row -> source row << 5 | lane xor
  u32 shift;         // xor-ed into every entry
  const int* lanes;  // destination lane -> source lane before the xor
  bool plain;        // no lane changes at all
};

// Multiplies by phase[p] = low[p mod 2^low_bits] * high[p >> low_bits] * table[p]; the table is conjugated if asked.
template <class R>
struct PhaseArgs {
  int tile_bits, low_bits;
  const R* low;     // 2^low_bits real parts, then imaginary parts
  const R* high;    // pairs (re, im)
  const R* table;   // null, or 2^m real parts then imaginary parts
  bool conjugate_table;
  // Sums of w = Im(conj(lambda) psi), null if unwanted: by low index, by high index, and per amplitude (added).
  R* sum_low;
  R* sum_high;
  double* sum_all;
  // Also moves the tile to another buffer: the map first, or, with lambda, its inverse afterwards.
  // Null target: in place.
  R *to_psi, *to_lambda;
  RowMap map;
};

// Rotation by an index-dependent angle: x(p)' = cos(p) x + sin(p) y(p xor flip), sine negated on the imaginary half
// if `imaginary`. Adds lambda(p) psi(p xor flip) to sum_all (negated likewise).
template <class R>
struct GroupArgs {
  int tile_bits;
  u32 flip;  // over m + 1 bits
  bool imaginary, inverse;
  const R* table;  // cosines, then sines
  double* sum_all;
};

template <class R>
struct DenseArgs {
  int tile_bits, num_bits;
  const int* bits;       // most significant local bit first
  const double* matrix;  // interleaved
  bool adjoint;
};

// lambda(p) += f * sign(p) * psi(p xor flip) for a list of flips and signs (real Pauli strings), or with the
// factor -i (`imaginary`).
struct PauliArgs {
  u32 flip, sign, parity;  // over the m tile bits
  double factor;
  bool imaginary;
};

// Random numbers as a function of where they are used (Philox 4x32-10, keyed): whoever draws them, in whatever order.
struct DrawStream {
  u32 key[2], setting, basis;
};
constexpr std::size_t kDrawChunk = 256;  // outcomes handled together; few enough for the first-level cache

// weight[0] of one state and weight[1] of another, real and imaginary parts apart; of the first alone where the second
// is null.
template <class R>
struct MixedArgs {
  const R *re[2], *im[2];
  double weight[2];
};

template <class R>
struct Kernels {
  int lanes;
  const char* name;
  void (*rotate2)(R* psi, R* lambda, int tile_bits, const Rotate2Args& args, bool grad, double* sums,
                  PrefetchCursor* prefetch);
  double (*rotate1)(R* psi, R* lambda, int tile_bits, const Rotate1Args& args, bool grad);
  void (*rotate_lanes)(R* psi, R* lambda, int tile_bits, const LaneRotation* rotations, bool unit, bool grad,
                       double* sums);
  void (*scale)(R* data, std::size_t count, double factor);
  void (*phase)(R* psi, R* lambda, const PhaseArgs<R>& args);
  void (*group)(R* psi, R* lambda, const GroupArgs<R>& args);
  void (*row_map)(const R* from, R* to, int tile_bits, const RowMap& map);
  void (*lane_flip)(R* data, int tile_bits, u32 row_form, u32 parity, u32 lane_mask);
  void (*lane_control)(R* data, int tile_bits, u32 lane_form, u32 parity, u32 row_mask);
  void (*dense)(R* data, const DenseArgs<R>& args);
  // values[f] -> sum_f values[f] (-1)^{f.p}, in place over 2^bits doubles.
  void (*walsh)(double* values, int bits);
  // angles -> cosines (first half of out) and sines (second half).
  void (*cos_sin)(const double* angles, std::size_t count, R* out);
  void (*pauli_apply)(const R* psi, R* lambda, int tile_bits, const PauliArgs* args, int count);
  // Re <psi| f sign X^flip |psi> for the string above.
  double (*pauli_expect)(const R* psi, int tile_bits, const PauliArgs& args);
  // lambda(p) += (even(p) - i odd(p)) psi(p xor flip); a null table is zero.
  void (*table_apply)(const R* psi, R* lambda, int tile_bits, u32 flip, const R* even, const R* odd);
  // Products conj(psi(p)) psi(p xor flip): real and imaginary parts, overwritten.
  void (*products)(const R* psi, int tile_bits, u32 flip, double* real, double* imag);
  // kDrawChunk numbers in [0, 1), multiples of 2^-53: numbers chunk * kDrawChunk and on of a stream.
  void (*uniforms)(const DrawStream& stream, u64 chunk, double* out);
  void (*locate)(const double* ends, u64 count, const double* targets, u64* places);
  void (*block_sums)(const MixedArgs<R>& args, int block_bits, std::size_t blocks, double* sums);
  // Of the two states |second|^2 and Re(first* second), one beside the other; the weights are ignored.
  void (*pair_products)(const MixedArgs<R>& args, std::size_t count, double* products);
  void (*moments)(const double* values, std::size_t count, double origin, double* sums);
  // values[i] = sum_t coefficients[t] (-1)^{|outcomes[i] & supports[t]|}; both arrays aligned and padded to vectors.
  void (*string_values)(const u64* outcomes, std::size_t count, const u64* supports, const double* coefficients,
                        std::size_t terms, double* values);
  double (*dot)(const R* a, const R* b, std::size_t count);
  void (*gather)(const R* source, u64 base, const u64* runs, std::size_t num_runs, std::size_t run, u64 reach, R* to);
  void (*scatter)(R* target, u64 base, const u64* runs, std::size_t num_runs, std::size_t run, u64 reach,
                  const R* from);
  // Two qubits of a density matrix in the Pauli basis (16 rows), or of a state (8), and strings (kernels_superop.h): on
  // tiles, pairs or strings `first` to `last`.
  void (*superop_apply)(R* r, const SuperopGeometry& g, u64 first, u64 last, const R* matrix);
  void (*superop_transition)(const R* lambda, const R* r, const SuperopGeometry& g, u64 first, u64 last, double* sums);
  void (*pair_apply)(R* psi, const SuperopGeometry& g, u64 first, u64 last, const R* matrix);
  void (*pair_transition)(const R* lambda, const R* psi, const SuperopGeometry& g, u64 first, u64 last, double* sums);
  void (*string_rotate)(R* r, u64 string, u64 first, u64 last, double cosine, double sine);
  void (*string_transition)(const R* lambda, const R* r, u64 string, u64 first, u64 last, double* sums);
  void (*state_rotate)(R* re, R* im, u64 x, u64 z, u64 first, u64 last, double cosine, double real, double imaginary);
};

enum class InstructionSet { kBaseline = 0, kAvx2 = 1, kAvx512 = 2 };

// The table for an instruction set, or null if this build or this processor lacks it.
template <class R>
const Kernels<R>* kernels_for(InstructionSet isa);

// What engines made from now on use: the best this processor has, unless another one was asked for.
InstructionSet instruction_set();
bool use_instruction_set(InstructionSet set);  // false, and no change, if this build or this processor lacks it

}  // namespace qcgrad
