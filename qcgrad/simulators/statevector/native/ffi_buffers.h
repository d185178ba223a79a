// What custom calls of XLA share: real operands and results as doubles, and errors.
#pragma once
#include <string>
#include <vector>

#include "engine.h"
#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;

namespace qcgrad {

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

inline ffi::Error invalid(const std::string& what) { return ffi::Error(ffi::ErrorCode::kInvalidArgument, "qcgrad: " + what); }

inline ffi::Error to_error(Status status, const std::string& what) {
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

}  // namespace qcgrad
