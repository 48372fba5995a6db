// The loss of one position and its gradient.
#include "CKernels.h"
#include "Clones.h"

CKERNEL_CLONES
double ck_cross_entropy_row(
    float *restrict logits, size_t count, const int32_t *restrict targets, size_t target_count, float weight,
    float *mass, int32_t *best) {
#pragma clang fp reassociate(on)
  float largest = logits[0];
  for (size_t i = 1; i < count; i++) largest = logits[i] > largest ? logits[i] : largest;
  size_t first = 0;
  while (logits[first] != largest && first + 1 < count) first++;
  *best = (int32_t)first;
  float right = 0;
  for (size_t t = 0; t < target_count; t++) right += logits[targets[t]] - largest;
  float sum = 0;
  for (size_t i = 0; i < count; i++) {
    logits[i] = ck_exp1(logits[i] - largest);
    sum += logits[i];
  }
  float share = 0;
  for (size_t t = 0; t < target_count; t++) share += logits[targets[t]];
  *mass = share / sum;
  float scale = weight / sum;
  for (size_t i = 0; i < count; i++) logits[i] *= scale;
  float each = weight / (float)target_count;
  for (size_t t = 0; t < target_count; t++) logits[targets[t]] -= each;
  return __builtin_log((double)sum) - (double)right / (double)target_count;
}
