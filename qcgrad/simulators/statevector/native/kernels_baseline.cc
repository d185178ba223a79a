#define QCGRAD_ISA_NAMESPACE isa_baseline
#define QCGRAD_ISA_NAME "baseline"
#define QCGRAD_VECTOR_BYTES 16
#include "kernels_impl.h"
