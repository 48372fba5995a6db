// Loops over one row: normalisations, softmax, sums, rotary positions.
#include "CKernels.h"
#include "Clones.h"

CKERNEL_CLONES
void ck_add(float *x, const float *y, size_t count) {
  for (size_t i = 0; i < count; i++) x[i] += y[i];
}

// (x − mean) / √(variance + ε), times gain, plus bias; gain and bias may be null. Two passes, as variance needs.
CKERNEL_CLONES
void ck_layer_norm(const float *x, const float *gain, const float *bias, float epsilon, float *out, size_t width) {
#pragma clang fp reassociate(on)
  float sum = 0;
  for (size_t i = 0; i < width; i++) sum += x[i];
  float mean = sum / (float)width;
  float squares = 0;
  for (size_t i = 0; i < width; i++) squares += (x[i] - mean) * (x[i] - mean);
  float scale = 1.0f / __builtin_sqrtf(squares / (float)width + epsilon);
  if (gain && bias) {
    for (size_t i = 0; i < width; i++) out[i] = (x[i] - mean) * scale * gain[i] + bias[i];
  } else if (gain) {
    for (size_t i = 0; i < width; i++) out[i] = (x[i] - mean) * scale * gain[i];
  } else {
    for (size_t i = 0; i < width; i++) out[i] = (x[i] - mean) * scale;
  }
}

// x / √(mean square + ε), times (gain + gainOffset); gain may be null.
CKERNEL_CLONES
void ck_rms_norm(const float *x, const float *gain, float gainOffset, float epsilon, float *out, size_t width) {
#pragma clang fp reassociate(on)
  float squares = 0;
  for (size_t i = 0; i < width; i++) squares += x[i] * x[i];
  float scale = 1.0f / __builtin_sqrtf(squares / (float)width + epsilon);
  if (gain) {
    for (size_t i = 0; i < width; i++) out[i] = x[i] * scale * (gain[i] + gainOffset);
  } else {
    for (size_t i = 0; i < width; i++) out[i] = x[i] * scale;
  }
}

// exp(x − max) / sum, in place.
CKERNEL_CLONES
void ck_softmax(float *x, size_t count) {
#pragma clang fp reassociate(on)
  float largest = x[0];
  for (size_t i = 1; i < count; i++) largest = x[i] > largest ? x[i] : largest;
  float sum = 0;
  for (size_t i = 0; i < count; i++) {
    float value = ck_exp1(x[i] - largest);
    x[i] = value;
    sum += value;
  }
  float inverse = 1.0f / sum;
  for (size_t i = 0; i < count; i++) x[i] *= inverse;
}

// The same with one more score, whose share goes nowhere.
CKERNEL_CLONES
void ck_softmax_with_sink(float *x, float sink, size_t count) {
#pragma clang fp reassociate(on)
  float largest = sink;
  for (size_t i = 0; i < count; i++) largest = x[i] > largest ? x[i] : largest;
  float sum = ck_exp1(sink - largest);
  for (size_t i = 0; i < count; i++) {
    float value = ck_exp1(x[i] - largest);
    x[i] = value;
    sum += value;
  }
  float inverse = 1.0f / sum;
  for (size_t i = 0; i < count; i++) x[i] *= inverse;
}

// Turns the pairs (x[i], x[i + half]) by the angles whose cosines and sines are given.
CKERNEL_CLONES
void ck_rotate_halves(float *x, const float *cosines, const float *sines, size_t half) {
  for (size_t i = 0; i < half; i++) {
    float a = x[i], b = x[i + half];
    x[i] = a * cosines[i] - b * sines[i];
    x[i + half] = b * cosines[i] + a * sines[i];
  }
}

// Turns the pairs (x[2i], x[2i + 1]) by the angles whose cosines and sines are given.
CKERNEL_CLONES
void ck_rotate_neighbours(float *x, const float *cosines, const float *sines, size_t half) {
  for (size_t i = 0; i < half; i++) {
    float a = x[2 * i], b = x[2 * i + 1];
    x[2 * i] = a * cosines[i] - b * sines[i];
    x[2 * i + 1] = b * cosines[i] + a * sines[i];
  }
}

CKERNEL_CLONES
void ck_rotate_neighbours_back(float *x, const float *cosines, const float *sines, size_t half) {
  for (size_t i = 0; i < half; i++) {
    float a = x[2 * i], b = x[2 * i + 1];
    x[2 * i] = a * cosines[i] + b * sines[i];
    x[2 * i + 1] = b * cosines[i] - a * sines[i];
  }
}

CKERNEL_CLONES
void ck_rotate_halves_back(float *x, const float *cosines, const float *sines, size_t half) {
  for (size_t i = 0; i < half; i++) {
    float a = x[i], b = x[i + half];
    x[i] = a * cosines[i] + b * sines[i];
    x[i + half] = b * cosines[i] - a * sines[i];
  }
}
