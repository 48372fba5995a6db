// Sums over whole arrays.
#include "CKernels.h"
#include "Clones.h"

CKERNEL_CLONES
double ck_sum_of_squares(const float *x, size_t count) {
#pragma clang fp reassociate(on)
  double sum = 0;
  for (size_t i = 0; i < count; i++) sum += (double)x[i] * (double)x[i];
  return sum;
}
