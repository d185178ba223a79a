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
#include "interrupt.h"
#include "trajectories.h"
#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;

namespace qcgrad {
namespace {

// Below, a call is over before anyone can press a key.
constexpr int kInterruptibleQubits = 16;
constexpr i64 kInterruptibleDraws = 1000000;

// A real buffer as doubles, copied only if it is f32.
class Doubles {
 public:
  bool read(const ffi::AnyBuffer& buffer) {
    count_ = buffer.element_count();
    if (buffer.element_type() == ffi::F64) {
      data_ = static_cast<const double*>(buffer.untyped_data());
      return true;
    }
    if (buffer.element_type() != ffi::F32) return false;
    const float* from = static_cast<const float*>(buffer.untyped_data());
    storage_.assign(from, from + count_);
    data_ = storage_.data();
    return true;
  }
  const double* data() const { return data_; }
  std::size_t count() const { return count_; }

 private:
  std::vector<double> storage_;
  const double* data_ = nullptr;
  std::size_t count_ = 0;
};

// A real result, computed as doubles and narrowed at the end if it is f32.
class DoublesOut {
 public:
  bool prepare(ffi::AnyBuffer& buffer) {
    count_ = buffer.element_count();
    target_ = buffer.untyped_data();
    narrow_ = buffer.element_type() == ffi::F32;
    if (!narrow_ && buffer.element_type() != ffi::F64) return false;
    if (narrow_) storage_.resize(count_);
    return true;
  }
  double* data() { return narrow_ ? storage_.data() : static_cast<double*>(target_); }
  std::size_t count() const { return count_; }
  void finish() {
    if (!narrow_) return;
    float* to = static_cast<float*>(target_);
    for (std::size_t i = 0; i < count_; ++i) to[i] = static_cast<float>(storage_[i]);
  }

 private:
  std::vector<double> storage_;
  void* target_ = nullptr;
  std::size_t count_ = 0;
  bool narrow_ = false;
};

ffi::Error invalid(const std::string& what) { return ffi::Error(ffi::ErrorCode::kInvalidArgument, "qcgrad: " + what); }

ffi::Error to_error(Status status, const std::string& what) {
  switch (status) {
    case Status::kOk:
      return ffi::Error::Success();
    case Status::kInvalid:
      return invalid(what);
    case Status::kOutOfMemory:
      return ffi::Error(ffi::ErrorCode::kResourceExhausted, "qcgrad: not enough memory for the state");
    case Status::kCancelled:
      return ffi::Error(ffi::ErrorCode::kCancelled, "qcgrad: interrupted");
  }
  return ffi::Error::Success();
}

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

XLA_FFI_DEFINE_HANDLER_SYMBOL(QcgradJumps, qcgrad::jumps_impl,
                              ffi::Ffi::Bind()
                                  .Arg<ffi::Buffer<ffi::U8>>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Ret<ffi::AnyBuffer>());
