#define QCGRAD_ISA_NAMESPACE isa_avx2
#define QCGRAD_ISA_NAME "avx2"
#define QCGRAD_VECTOR_BYTES 32
#include "kernels_impl.h"
