// XLA custom calls. Operands: the circuit and the measurement bases as bytes (blob.h); angles and cotangents, f32 or
// f64, converted here; shots, and the words that random numbers are made of.
#include <algorithm>
#include <complex>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "blob.h"
#include "engine.h"
#include "ffi_buffers.h"
#include "interrupt.h"

namespace qcgrad {
namespace {

// Below, a call is over before anyone can press a key.
constexpr int kInterruptibleQubits = 16;
constexpr i64 kInterruptibleDraws = 1000000;

struct Call {
  OpTable circuit;
  PauliSums observables;
  std::string error;
  i64 batch = 0;
  Doubles angles;
  bool read(const ffi::Buffer<ffi::U8>& blob, const ffi::AnyBuffer& angles_buffer) {
    error = parse_blob(blob.untyped_data(), blob.element_count(), &circuit, &observables);
    if (!error.empty()) return false;
    const auto dims = angles_buffer.dimensions();
    if (dims.size() != 2 || dims[1] != circuit.num_angles || !angles.read(angles_buffer)) {
      error = "angles must be real with shape (batch, number of angles)";
      return false;
    }
    batch = dims[0];
    return true;
  }
  bool long_running() const { return circuit.num_qubits >= kInterruptibleQubits; }
};

template <class R>
ffi::Error value_call(Call& call, DoublesOut& values) {
  auto engine = cached_engine<R>(call.circuit, {&call.observables, nullptr}, -1, &call.error);
  if (!engine) return invalid(call.error);
  const Status status = value(*engine, call.batch, call.angles.data(), values.data());
  values.finish();
  return to_error(status, call.error);
}

ffi::Error value_impl(std::int32_t single, ffi::Buffer<ffi::U8> blob, ffi::AnyBuffer angles,
                      ffi::Result<ffi::AnyBuffer> out) {
  Call call;
  DoublesOut values;
  if (!call.read(blob, angles)) return invalid(call.error);
  if (!values.prepare(*out) || values.count() != static_cast<std::size_t>(call.batch * call.observables.num_observables))
    return invalid("values must be real with shape (batch, observables)");
  const InterruptGuard guard(call.long_running());
  return single ? value_call<float>(call, values) : value_call<double>(call, values);
}

template <class R>
ffi::Error vjp_call(Call& call, i64 cotangent_batch, i64 rows, const Doubles& cotangents, DoublesOut& values,
                    DoublesOut& gradients) {
  auto engine = cached_engine<R>(call.circuit, {&call.observables, nullptr}, -1, &call.error);
  if (!engine) return invalid(call.error);
  const Status status = value_and_vjp(*engine, call.batch, call.angles.data(), cotangent_batch, rows,
                                      cotangents.data(), values.data(), gradients.data());
  values.finish();
  gradients.finish();
  return to_error(status, call.error);
}

ffi::Error vjp_impl(std::int32_t single, ffi::Buffer<ffi::U8> blob, ffi::AnyBuffer angles, ffi::AnyBuffer cotangents,
                    ffi::Result<ffi::AnyBuffer> out_values, ffi::Result<ffi::AnyBuffer> out_gradients) {
  Call call;
  Doubles weights;
  DoublesOut values, gradients;
  if (!call.read(blob, angles)) return invalid(call.error);
  const auto dims = cotangents.dimensions();
  if (dims.size() != 3 || (dims[0] != 1 && dims[0] != call.batch) || dims[2] != call.observables.num_observables ||
      !weights.read(cotangents))
    return invalid("cotangents must be real with shape (batch or 1, rows, observables)");
  const std::size_t batch = static_cast<std::size_t>(call.batch);
  if (!values.prepare(*out_values) || values.count() != batch * dims[2] || !gradients.prepare(*out_gradients) ||
      gradients.count() != batch * dims[1] * call.circuit.num_angles)
    return invalid("results have the wrong shape");
  const InterruptGuard guard(call.long_running());
  return single ? vjp_call<float>(call, dims[0], dims[1], weights, values, gradients)
                : vjp_call<double>(call, dims[0], dims[1], weights, values, gradients);
}

template <class R>
ffi::Error state_call(Call& call, void* out) {
  auto engine = cached_engine<R>(call.circuit, {}, -1, &call.error);
  if (!engine) return invalid(call.error);
  return to_error(state(*engine, call.batch, call.angles.data(), static_cast<R*>(out)), call.error);
}

// What both kinds of sampling are handed besides angles, and what they return.
struct SampleCall {
  Bases bases;
  Draws draws;
  DoublesOut means, variances;
  i64 largest = 0;
  std::string read(const ffi::Buffer<ffi::U8>& blob, const ffi::Buffer<ffi::S32>& shots,
                   const ffi::Buffer<ffi::U32>& streams, std::size_t settings, ffi::AnyBuffer& out_means,
                   ffi::AnyBuffer& out_variances) {
    const std::string error = parse_bases(blob.untyped_data(), blob.element_count(), &bases);
    if (!error.empty()) return error;
    if (shots.element_count() != settings * bases.num_bases) return "shots must have shape (settings, bases)";
    if (streams.element_count() != 3 * settings) return "streams must have shape (settings, 3)";
    draws = {shots.typed_data(), streams.typed_data()};
    for (std::size_t i = 0; i < shots.element_count(); ++i) {
      if (draws.shots[i] < 0) return "shots must not be negative";
      largest = std::max<i64>(largest, draws.shots[i]);
    }
    const std::size_t count = settings * bases.num_observables;
    if (!means.prepare(out_means) || means.count() != count || !variances.prepare(out_variances) ||
        variances.count() != count)
      return "results have the wrong shape";
    return "";
  }
  ffi::Error finish(Status status, const std::string& error) {
    means.finish();
    variances.finish();
    return to_error(status, error);
  }
};

// The precision of the angles is that of the simulation.
ffi::Error sample_impl(ffi::Buffer<ffi::U8> blob, ffi::Buffer<ffi::U8> bases_blob, ffi::AnyBuffer angles,
                       ffi::Buffer<ffi::S32> shots, ffi::Buffer<ffi::U32> streams,
                       ffi::Result<ffi::AnyBuffer> out_means, ffi::Result<ffi::AnyBuffer> out_variances) {
  Call call;
  SampleCall drawn;
  if (!call.read(blob, angles)) return invalid(call.error);
  call.error = drawn.read(bases_blob, shots, streams, static_cast<std::size_t>(call.batch), *out_means, *out_variances);
  if (!call.error.empty()) return invalid(call.error);
  const InterruptGuard guard(call.long_running() || drawn.largest >= kInterruptibleDraws);
  auto run = [&](auto engine) {
    if (!engine) return invalid(call.error);
    return drawn.finish(sample(*engine, call.batch, call.angles.data(), drawn.draws, drawn.means.data(),
                               drawn.variances.data()),
                        call.error);
  };
  const Measured measured = {nullptr, &drawn.bases};
  if (angles.element_type() == ffi::F32) return run(cached_engine<float>(call.circuit, measured, -1, &call.error));
  return run(cached_engine<double>(call.circuit, measured, -1, &call.error));
}

ffi::Error sample_shifted_impl(ffi::Buffer<ffi::U8> blob, ffi::Buffer<ffi::U8> bases_blob, ffi::AnyBuffer angles,
                               ffi::Buffer<ffi::S32> owner, ffi::AnyBuffer moved, ffi::Buffer<ffi::S32> shots,
                               ffi::Buffer<ffi::U32> streams, ffi::Result<ffi::AnyBuffer> out_means,
                               ffi::Result<ffi::AnyBuffer> out_variances) {
  Call call;
  SampleCall drawn;
  Doubles moved_to;
  if (!call.read(blob, angles)) return invalid(call.error);
  const std::size_t points = static_cast<std::size_t>(call.batch), count = owner.element_count();
  if (!moved_to.read(moved) || moved_to.count() != points * count)
    return invalid("moved angles must be real with shape (points, shifts)");
  for (std::size_t i = 0; i < count; ++i)
    if (owner.typed_data()[i] < -1 || owner.typed_data()[i] >= call.circuit.num_angles)
      return invalid("a shift names no angle");
  call.error = drawn.read(bases_blob, shots, streams, points * (1 + count), *out_means, *out_variances);
  if (!call.error.empty()) return invalid(call.error);
  const Shifts shifts = {static_cast<i64>(count), owner.typed_data(), moved_to.data()};
  const InterruptGuard guard(call.long_running() || drawn.largest >= kInterruptibleDraws);
  auto run = [&](auto engine) {
    if (!engine) return invalid(call.error);
    return drawn.finish(sample_shifted(*engine, call.batch, call.angles.data(), shifts, drawn.draws,
                                       drawn.means.data(), drawn.variances.data()),
                        call.error);
  };
  const Measured measured = {nullptr, &drawn.bases, false, true};
  if (angles.element_type() == ffi::F32) return run(cached_engine<float>(call.circuit, measured, -1, &call.error));
  return run(cached_engine<double>(call.circuit, measured, -1, &call.error));
}

ffi::Error state_impl(ffi::Buffer<ffi::U8> blob, ffi::AnyBuffer angles, ffi::Result<ffi::AnyBuffer> out) {
  Call call;
  if (!call.read(blob, angles)) return invalid(call.error);
  if (out->element_count() != static_cast<std::size_t>(call.batch) << call.circuit.num_qubits)
    return invalid("the state must have shape (batch, 2**qubits)");
  const InterruptGuard guard(call.long_running());
  if (out->element_type() == ffi::C64) return state_call<float>(call, out->untyped_data());
  if (out->element_type() == ffi::C128) return state_call<double>(call, out->untyped_data());
  return invalid("the state must be complex");
}

}  // namespace
}  // namespace qcgrad

XLA_FFI_DEFINE_HANDLER_SYMBOL(
    QcgradValue, qcgrad::value_impl,
    ffi::Ffi::Bind().Attr<std::int32_t>("single").Arg<ffi::Buffer<ffi::U8>>().Arg<ffi::AnyBuffer>().Ret<ffi::AnyBuffer>());

XLA_FFI_DEFINE_HANDLER_SYMBOL(QcgradValueAndVjp, qcgrad::vjp_impl,
                              ffi::Ffi::Bind()
                                  .Attr<std::int32_t>("single")
                                  .Arg<ffi::Buffer<ffi::U8>>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Ret<ffi::AnyBuffer>());

XLA_FFI_DEFINE_HANDLER_SYMBOL(QcgradSample, qcgrad::sample_impl,
                              ffi::Ffi::Bind()
                                  .Arg<ffi::Buffer<ffi::U8>>()
                                  .Arg<ffi::Buffer<ffi::U8>>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::Buffer<ffi::S32>>()
                                  .Arg<ffi::Buffer<ffi::U32>>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Ret<ffi::AnyBuffer>());

XLA_FFI_DEFINE_HANDLER_SYMBOL(QcgradSampleShifted, qcgrad::sample_shifted_impl,
                              ffi::Ffi::Bind()
                                  .Arg<ffi::Buffer<ffi::U8>>()
                                  .Arg<ffi::Buffer<ffi::U8>>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::Buffer<ffi::S32>>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::Buffer<ffi::S32>>()
                                  .Arg<ffi::Buffer<ffi::U32>>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Ret<ffi::AnyBuffer>());

XLA_FFI_DEFINE_HANDLER_SYMBOL(
    QcgradState, qcgrad::state_impl,
    ffi::Ffi::Bind().Arg<ffi::Buffer<ffi::U8>>().Arg<ffi::AnyBuffer>().Ret<ffi::AnyBuffer>());
