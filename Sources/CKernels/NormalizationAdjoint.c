// The adjoints of the normalisations of one row. Statistics are taken again from x: two short passes cost less than
// keeping them.
#include "CKernels.h"
#include "Clones.h"

// With n = (x − mean)·r and g = dy·gain: dx = r·(g − mean(g) − n·mean(g·n)).
CKERNEL_CLONES
void ck_layer_norm_adjoint(
    const float *restrict x, const float *restrict gain, float epsilon, const float *restrict dy,
    float *restrict dx, float *restrict dgain, float *restrict dbias, size_t width) {
#pragma clang fp reassociate(on)
  float total = 0;
  for (size_t j = 0; j < width; j++) total += x[j];
  float center = total / (float)width;
  float squares = 0;
  for (size_t j = 0; j < width; j++) squares += (x[j] - center) * (x[j] - center);
  float scale = 1.0f / __builtin_sqrtf(squares / (float)width + epsilon);
  if (dgain)
    for (size_t j = 0; j < width; j++) dgain[j] += dy[j] * (x[j] - center) * scale;
  if (dbias)
    for (size_t j = 0; j < width; j++) dbias[j] += dy[j];
  float sum = 0, product = 0;
  if (gain) {
    for (size_t j = 0; j < width; j++) {
      float g = dy[j] * gain[j];
      sum += g;
      product += g * (x[j] - center);
    }
  } else {
    for (size_t j = 0; j < width; j++) {
      sum += dy[j];
      product += dy[j] * (x[j] - center);
    }
  }
  sum /= (float)width;
  product *= scale * scale / (float)width;
  if (gain) {
    for (size_t j = 0; j < width; j++) dx[j] += scale * (dy[j] * gain[j] - sum - (x[j] - center) * product);
  } else {
    for (size_t j = 0; j < width; j++) dx[j] += scale * (dy[j] - sum - (x[j] - center) * product);
  }
}

// With r = 1/√(mean square + ε) and g = dy·(gain + gainOffset): dx = r·(g − x·r²·mean(g·x)).
CKERNEL_CLONES
void ck_rms_norm_adjoint(
    const float *restrict x, const float *restrict gain, float gainOffset, float epsilon,
    const float *restrict dy, float *restrict dx, float *restrict dgain, size_t width) {
#pragma clang fp reassociate(on)
  float squares = 0;
  for (size_t j = 0; j < width; j++) squares += x[j] * x[j];
  float scale = 1.0f / __builtin_sqrtf(squares / (float)width + epsilon);
  if (dgain)
    for (size_t j = 0; j < width; j++) dgain[j] += dy[j] * x[j] * scale;
  float product = 0;
  if (gain) {
    for (size_t j = 0; j < width; j++) product += dy[j] * (gain[j] + gainOffset) * x[j];
  } else {
    for (size_t j = 0; j < width; j++) product += dy[j] * x[j];
  }
  product *= scale * scale / (float)width;
  if (gain) {
    for (size_t j = 0; j < width; j++) dx[j] += scale * (dy[j] * (gain[j] + gainOffset) - x[j] * product);
  } else {
    for (size_t j = 0; j < width; j++) dx[j] += scale * (dy[j] - x[j] * product);
  }
}

CKERNEL_CLONES
void ck_layer_norm_held_adjoint(
    const float *restrict x, const float *restrict gain, float epsilon, const float *restrict dy,
    float *restrict dx, size_t width) {
#pragma clang fp reassociate(on)
  float total = 0;
  for (size_t j = 0; j < width; j++) total += x[j];
  float center = total / (float)width;
  float squares = 0;
  for (size_t j = 0; j < width; j++) squares += (x[j] - center) * (x[j] - center);
  float scale = 1.0f / __builtin_sqrtf(squares / (float)width + epsilon);
  float sum = 0;
  for (size_t j = 0; j < width; j++) sum += dy[j] * (gain ? gain[j] : 1.0f);
  sum /= (float)width;
  for (size_t j = 0; j < width; j++) dx[j] += scale * (dy[j] * (gain ? gain[j] : 1.0f) - sum);
}

CKERNEL_CLONES
void ck_rms_norm_held_adjoint(
    const float *restrict x, const float *restrict gain, float gainOffset, float epsilon,
    const float *restrict dy, float *restrict dx, size_t width) {
#pragma clang fp reassociate(on)
  float squares = 0;
  for (size_t j = 0; j < width; j++) squares += x[j] * x[j];
  float scale = 1.0f / __builtin_sqrtf(squares / (float)width + epsilon);
  for (size_t j = 0; j < width; j++) dx[j] += scale * dy[j] * (gain ? gain[j] + gainOffset : 1.0f);
}
