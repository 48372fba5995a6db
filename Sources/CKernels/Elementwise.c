// One pass over a float32 array each: channel statistics, rectifier, logistic, AdamW.
#include "Clones.h"
#include "ImageKernels.h"

CKERNEL_CLONES
void ck_sum_and_dot(const float *x, const float *y, size_t count, double *sums) {
#pragma clang fp reassociate(on)
  double sum = 0, dot = 0;
  // Blocks of 256 in float, so that the loop vectorises without losing digits over long arrays.
  for (size_t start = 0; start < count; start += 256) {
    size_t end = start + 256 < count ? start + 256 : count;
    float block_sum = 0, block_dot = 0;
    for (size_t i = start; i < end; i++) {
      block_sum += x[i];
      block_dot += x[i] * y[i];
    }
    sum += block_sum;
    dot += block_dot;
  }
  sums[0] += sum;
  sums[1] += dot;
}

CKERNEL_CLONES
void ck_scale_shift(const float *x, size_t count, float a, float b, float *out) {
  for (size_t i = 0; i < count; i++) out[i] = a * x[i] + b;
}

CKERNEL_CLONES
void ck_blend(const float *x, const float *y, size_t count, float a, float b, float c, float *out) {
  for (size_t i = 0; i < count; i++) out[i] = a * x[i] + b * y[i] + c;
}

CKERNEL_CLONES
void ck_rectify(const float *x, size_t count, float *out) {
  for (size_t i = 0; i < count; i++) out[i] = x[i] > 0 ? x[i] : 0;
}

CKERNEL_CLONES
void ck_rectify_gradient(const float *out, const float *out_gradient, size_t count, float *in_gradient) {
  for (size_t i = 0; i < count; i++) in_gradient[i] = out[i] > 0 ? out_gradient[i] : 0;
}

CKERNEL_CLONES
void ck_logistic(const float *x, size_t count, float *out) {
  for (size_t i = 0; i < count; i++) out[i] = 1.0f / (1.0f + ck_exp1(-x[i]));
}

CKERNEL_CLONES
void ck_adamw_tensor(float *weights, const float *gradient, float *mean, float *square, size_t count, float beta1,
              float beta2, float step_size, float second_correction, float epsilon, float decay) {
  for (size_t i = 0; i < count; i++) {
    float g = gradient[i];
    float m = beta1 * mean[i] + (1 - beta1) * g;
    float v = beta2 * square[i] + (1 - beta2) * g * g;
    mean[i] = m;
    square[i] = v;
    weights[i] = weights[i] * decay - step_size * m / (__builtin_sqrtf(v * second_correction) + epsilon);
  }
}
