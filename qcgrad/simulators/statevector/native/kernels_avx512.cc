#define QCGRAD_ISA_NAMESPACE isa_avx512
#define QCGRAD_ISA_NAME "avx512"
#define QCGRAD_VECTOR_BYTES 64
#include "kernels_impl.h"
