// A circuit and its observables as one byte string, so that a JAX program takes them as data whatever its default
// integer width is. The bytes double as the key under which the plan is remembered.
#pragma once
#include <string>

#include "op_table.h"

namespace qcgrad {

// int64 header: kBlobMagic, num_qubits, num_ops N, num_angles, max_wires W, number of matrix entries E,
// num_observables K, num_terms T. Then, each array padded to 8 bytes:
// int32 kind[N], kappa[N], slot[N], wires[N*W]; int64 x[N], z[N], ctrl[N], matrix_offset[N];
// double scale[N], offset[N]; complex128 matrices[E];
// int64 obs_x[T], obs_z[T]; double coefficient[T]; int64 offsets[K+1].
constexpr std::int64_t kBlobMagic = 0x31444152474351;  // "QCGRAD1"

// Measurement bases are a byte string of their own, which most calls do without.
// int64 header: kBasesMagic, num_bases G, num_observables K, num_terms T. Then
// int64 x[G], z[G], support[T]; double coefficient[T]; int64 offsets[G*K+1].
constexpr std::int64_t kBasesMagic = 0x31534142474351;  // "QCGBAS1"

// Both point into `data` (8-byte aligned), which must outlive the result. They return an empty string or what is wrong.
std::string parse_bases(const void* data, std::size_t size, Bases* bases);
std::string parse_blob(const void* data, std::size_t size, OpTable* circuit, PauliSums* observables);

}  // namespace qcgrad
