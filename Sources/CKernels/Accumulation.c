// Sums over rows, columns and whole arrays.
#include "CKernels.h"
#include "Clones.h"

CKERNEL_CLONES
void ck_add_column_sums(const float *restrict x, float *restrict sums, size_t rows, size_t width) {
  for (size_t row = 0; row < rows; row++)
    for (size_t j = 0; j < width; j++) sums[j] += x[row * width + j];
}

CKERNEL_CLONES
void ck_add_row(float *restrict y, const float *restrict bias, size_t rows, size_t width) {
  for (size_t row = 0; row < rows; row++)
    for (size_t j = 0; j < width; j++) y[row * width + j] += bias[j];
}

CKERNEL_CLONES
double ck_sum_of_squares(const float *x, size_t count) {
#pragma clang fp reassociate(on)
  double sum = 0;
  for (size_t i = 0; i < count; i++) sum += (double)x[i] * (double)x[i];
  return sum;
}
