// Layer normalisation for training: the forward half that keeps each row's statistics, and the backward half.
#include "CKernels.h"
#include "Clones.h"

CKERNEL_CLONES
void ck_layer_norm_keeping(
    const float *restrict x, const float *restrict weight, const float *restrict bias, float *restrict y,
    float *restrict mean, float *restrict inverse, size_t rows, size_t width, float epsilon) {
#pragma clang fp reassociate(on)
  for (size_t row = 0; row < rows; row++) {
    const float *in = x + row * width;
    float *out = y + row * width;
    float sum = 0;
    for (size_t j = 0; j < width; j++) sum += in[j];
    float center = sum / (float)width;
    float squares = 0;
    for (size_t j = 0; j < width; j++) squares += (in[j] - center) * (in[j] - center);
    float scale = 1.0f / __builtin_sqrtf(squares / (float)width + epsilon);
    mean[row] = center;
    inverse[row] = scale;
    for (size_t j = 0; j < width; j++) out[j] = (in[j] - center) * scale * weight[j] + bias[j];
  }
}

// With n = (x − mean)·r and g = dy·weight: dx = r·(g − mean(g) − n·mean(g·n)).
CKERNEL_CLONES
void ck_layer_norm_backward(
    const float *restrict x, const float *restrict weight, const float *restrict mean,
    const float *restrict inverse, const float *restrict dy, float *restrict dx, float *restrict dweight,
    float *restrict dbias, size_t rows, size_t width) {
#pragma clang fp reassociate(on)
  for (size_t row = 0; row < rows; row++) {
    const float *in = x + row * width;
    const float *up = dy + row * width;
    float *down = dx + row * width;
    float center = mean[row], scale = inverse[row];
    float sum = 0, product = 0;
    for (size_t j = 0; j < width; j++) {
      float normal = (in[j] - center) * scale;
      float g = up[j] * weight[j];
      sum += g;
      product += g * normal;
      dweight[j] += up[j] * normal;
      dbias[j] += up[j];
    }
    sum /= (float)width;
    product /= (float)width;
    for (size_t j = 0; j < width; j++) {
      float normal = (in[j] - center) * scale;
      down[j] += scale * (up[j] * weight[j] - sum - normal * product);
    }
  }
}
