// XLA custom calls. Operands: the circuit and the measurement bases as bytes (blob.h); angles and cotangents, f32 or
// f64, converted here; uniform random numbers.
#include <complex>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "blob.h"
#include "engine.h"
#include "interrupt.h"
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

template <class R>
ffi::Error sample_call(Call& call, const Bases& bases, i64 draws, const void* uniforms, const std::int32_t* shots,
                       DoublesOut& means, DoublesOut& variances) {
  auto engine = cached_engine<R>(call.circuit, {nullptr, &bases}, -1, &call.error);
  if (!engine) return invalid(call.error);
  const Status status = sample(*engine, call.batch, call.angles.data(), draws, static_cast<const R*>(uniforms), shots,
                               means.data(), variances.data());
  means.finish();
  variances.finish();
  return to_error(status, call.error);
}

// The precision of the uniform numbers is that of the simulation.
ffi::Error sample_impl(ffi::Buffer<ffi::U8> blob, ffi::Buffer<ffi::U8> bases_blob, ffi::AnyBuffer angles,
                       ffi::AnyBuffer uniforms, ffi::Buffer<ffi::S32> shots, ffi::Result<ffi::AnyBuffer> out_means,
                       ffi::Result<ffi::AnyBuffer> out_variances) {
  Call call;
  Bases bases;
  DoublesOut means, variances;
  if (!call.read(blob, angles)) return invalid(call.error);
  call.error = parse_bases(bases_blob.untyped_data(), bases_blob.element_count(), &bases);
  if (!call.error.empty()) return invalid(call.error);
  const auto dims = uniforms.dimensions();
  if (dims.size() != 3 || dims[0] != call.batch || dims[1] != bases.num_bases)
    return invalid("uniforms must have shape (batch, bases, draws)");
  const std::size_t batch = static_cast<std::size_t>(call.batch), count = batch * bases.num_observables;
  if (shots.element_count() != batch) return invalid("shots must have shape (batch,)");
  for (std::size_t i = 0; i < batch; ++i)
    if (shots.typed_data()[i] < 0 || shots.typed_data()[i] > dims[2])
      return invalid("shots must not be negative or more than the draws");
  if (!means.prepare(*out_means) || means.count() != count || !variances.prepare(*out_variances) ||
      variances.count() != count)
    return invalid("results have the wrong shape");
  const InterruptGuard guard(call.long_running() || dims[2] >= kInterruptibleDraws);
  if (uniforms.element_type() == ffi::F32)
    return sample_call<float>(call, bases, dims[2], uniforms.untyped_data(), shots.typed_data(), means, variances);
  if (uniforms.element_type() == ffi::F64)
    return sample_call<double>(call, bases, dims[2], uniforms.untyped_data(), shots.typed_data(), means, variances);
  return invalid("uniforms must be real");
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
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::Buffer<ffi::S32>>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Ret<ffi::AnyBuffer>());

XLA_FFI_DEFINE_HANDLER_SYMBOL(
    QcgradState, qcgrad::state_impl,
    ffi::Ffi::Bind().Arg<ffi::Buffer<ffi::U8>>().Arg<ffi::AnyBuffer>().Ret<ffi::AnyBuffer>());
