// Derivatives of the MLP's activations and of softmax.
#include "CKernels.h"
#include "Clones.h"

CKERNEL_CLONES
void ck_relu_backward(const float *restrict x, float *restrict dx, size_t count) {
  for (size_t i = 0; i < count; i++) dx[i] = x[i] > 0 ? dx[i] : 0.0f;
}

// d(x·Φ(x))/dx = Φ(x) + x·φ(x); Φ by Abramowitz & Stegun 7.1.26, within 1.5e-7.
CKERNEL_CLONES
void ck_gelu_backward(const float *restrict x, float *restrict dx, size_t count) {
  for (size_t i = 0; i < count; i++) {
    float value = x[i];
    float size = __builtin_fabsf(value) * 0.70710678118654752f;
    float t = 1.0f / (1.0f + 0.3275911f * size);
    float p = 1.061405429f;
    p = p * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    float bell = ck_exp1(-0.5f * value * value);
    float tail = 0.5f * p * t * bell;
    float cumulative = value > 0 ? 1.0f - tail : tail;
    dx[i] *= cumulative + value * 0.39894228040143268f * bell;
  }
}

// GELU's tanh form is x·s with s = 1 / (1 + exp(−2u)), u = √(2/π)·(x + 0.044715·x³).
CKERNEL_CLONES
void ck_gelu_tanh_backward(const float *restrict x, float *restrict dx, size_t count) {
  for (size_t i = 0; i < count; i++) {
    float value = x[i];
    float square = value * value;
    float twice = 1.5957691216057308f * value * (1.0f + 0.044715f * square);
    float s = 1.0f / (1.0f + ck_exp1(-twice));
    float slope = 1.5957691216057308f * (1.0f + 0.134145f * square);
    dx[i] *= s + value * s * (1.0f - s) * slope;
  }
}

CKERNEL_CLONES
void ck_silu_backward(const float *restrict x, float *restrict dx, size_t count) {
  for (size_t i = 0; i < count; i++) {
    float s = 1.0f / (1.0f + ck_exp1(-x[i]));
    dx[i] *= s + x[i] * s * (1.0f - s);
  }
}

CKERNEL_CLONES
void ck_soft_cap_backward(const float *restrict y, float cap, float *restrict dx, size_t count) {
  float inverse = 1.0f / cap;
  for (size_t i = 0; i < count; i++) {
    float share = y[i] * inverse;
    dx[i] *= 1.0f - share * share;
  }
}

CKERNEL_CLONES
void ck_relu_ratio(const float *restrict x, float *restrict dx, size_t count) {
  for (size_t i = 0; i < count; i++) dx[i] = x[i] > 0 ? dx[i] : 0.0f;
}

// x·Φ(x) / x = Φ(x).
CKERNEL_CLONES
void ck_gelu_ratio(const float *restrict x, float *restrict dx, size_t count) {
  for (size_t i = 0; i < count; i++) {
    float value = x[i];
    float size = __builtin_fabsf(value) * 0.70710678118654752f;
    float t = 1.0f / (1.0f + 0.3275911f * size);
    float p = 1.061405429f;
    p = p * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    float tail = 0.5f * p * t * ck_exp1(-0.5f * value * value);
    dx[i] *= value > 0 ? 1.0f - tail : tail;
  }
}

CKERNEL_CLONES
void ck_gelu_tanh_ratio(const float *restrict x, float *restrict dx, size_t count) {
  for (size_t i = 0; i < count; i++) {
    float value = x[i];
    dx[i] *= 1.0f / (1.0f + ck_exp1(-1.5957691216057308f * value * (1.0f + 0.044715f * value * value)));
  }
}

CKERNEL_CLONES
void ck_silu_ratio(const float *restrict x, float *restrict dx, size_t count) {
  for (size_t i = 0; i < count; i++) dx[i] *= 1.0f / (1.0f + ck_exp1(-x[i]));
}

CKERNEL_CLONES
void ck_softmax_row_backward(const float *restrict p, float *restrict dp, size_t count) {
#pragma clang fp reassociate(on)
  float sum = 0;
  for (size_t i = 0; i < count; i++) sum += p[i] * dp[i];
  for (size_t i = 0; i < count; i++) dp[i] = p[i] * (dp[i] - sum);
}
