// The custom call of XLA for trajectories: the circuit as bytes (trajectories.h), angles and uniform numbers, a row each.
#include <complex>

#include "ffi_buffers.h"
#include "interrupt.h"
#include "trajectories.h"

namespace qcgrad {
namespace {

ffi::Error jumps_impl(ffi::Buffer<ffi::U8> blob, ffi::AnyBuffer angles, ffi::AnyBuffer uniforms,
                      ffi::Result<ffi::AnyBuffer> out) {
  JumpCircuit circuit;
  const std::string error = parse_jumps(blob.untyped_data(), blob.element_count(), &circuit);
  if (!error.empty()) return invalid(error);
  Doubles turns, drawn;
  const auto rows = angles.dimensions(), columns = uniforms.dimensions();
  if (rows.size() != 2 || columns.size() != 2 || rows[0] != columns[0] || rows[1] < circuit.num_angles ||
      columns[1] < circuit.num_uniforms || !turns.read(angles) || !drawn.read(uniforms))
    return invalid("angles and uniform numbers must be real, one row a trajectory");
  const i64 count = rows[0];
  if (out->element_count() != static_cast<std::size_t>(count) << circuit.out_qubits)
    return invalid("states must have shape (trajectories, 2**qubits)");
  const InterruptGuard guard(true);
  auto run = [&](auto* to) {
    return to_error(trajectories(circuit, count, turns.data(), rows[1], drawn.data(), columns[1], to), error);
  };
  if (out->element_type() == ffi::C64) return run(static_cast<std::complex<float>*>(out->untyped_data()));
  if (out->element_type() == ffi::C128) return run(static_cast<std::complex<double>*>(out->untyped_data()));
  return invalid("states must be complex");
}

}  // namespace
}  // namespace qcgrad

XLA_FFI_DEFINE_HANDLER_SYMBOL(QcgradJumps, qcgrad::jumps_impl,
                              ffi::Ffi::Bind()
                                  .Arg<ffi::Buffer<ffi::U8>>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Ret<ffi::AnyBuffer>());
