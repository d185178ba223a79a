// Picks the kernels at run time. QCGRAD_HAVE_X86_KERNELS is set by the build where the AVX files are compiled.
#include "kernels.h"

#include <atomic>

namespace qcgrad {

#define QCGRAD_DECLARE(ns)                 \
  namespace ns {                           \
  const Kernels<float>* float_kernels();   \
  const Kernels<double>* double_kernels(); \
  }
QCGRAD_DECLARE(isa_baseline)
#ifdef QCGRAD_HAVE_X86_KERNELS
QCGRAD_DECLARE(isa_avx2)
QCGRAD_DECLARE(isa_avx512)
#endif
#undef QCGRAD_DECLARE

namespace {

bool supported(InstructionSet isa) {
  switch (isa) {
    case InstructionSet::kBaseline:
      return true;
#ifdef QCGRAD_HAVE_X86_KERNELS
    case InstructionSet::kAvx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("popcnt");
    case InstructionSet::kAvx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("popcnt");
#endif
    default:
      return false;
  }
}

InstructionSet best() {
  if (supported(InstructionSet::kAvx512)) return InstructionSet::kAvx512;
  if (supported(InstructionSet::kAvx2)) return InstructionSet::kAvx2;
  return InstructionSet::kBaseline;
}

std::atomic<InstructionSet>& chosen() {
  static std::atomic<InstructionSet> set{best()};
  return set;
}

}  // namespace

template <>
const Kernels<float>* kernels_for<float>(InstructionSet isa) {
  if (!supported(isa)) return nullptr;
#ifdef QCGRAD_HAVE_X86_KERNELS
  if (isa == InstructionSet::kAvx2) return isa_avx2::float_kernels();
  if (isa == InstructionSet::kAvx512) return isa_avx512::float_kernels();
#endif
  return isa_baseline::float_kernels();
}

template <>
const Kernels<double>* kernels_for<double>(InstructionSet isa) {
  if (!supported(isa)) return nullptr;
#ifdef QCGRAD_HAVE_X86_KERNELS
  if (isa == InstructionSet::kAvx2) return isa_avx2::double_kernels();
  if (isa == InstructionSet::kAvx512) return isa_avx512::double_kernels();
#endif
  return isa_baseline::double_kernels();
}

InstructionSet instruction_set() { return chosen().load(); }

bool use_instruction_set(InstructionSet set) {
  if (!supported(set)) return false;
  chosen().store(set);
  return true;
}

}  // namespace qcgrad
