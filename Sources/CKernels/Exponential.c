// exp for float32 arrays: range reduction by ln 2 in two parts, then a degree-6 polynomial (Cephes expf constants).
#include "CKernels.h"
#include "Clones.h"

CKERNEL_CLONES
void ck_exp(float *x, size_t count) {
  for (size_t i = 0; i < count; i++) x[i] = ck_exp1(x[i]);
}
