// Activation functions, in place.
#include "CKernels.h"
#include "Clones.h"

// x · logistic(y): the shared form of SiLU (y = x) and of GELU's tanh approximation (y = 2u), without cancellation.
static inline __attribute__((always_inline)) float ck_gated(float x, float y) { return x / (1.0f + ck_exp1(-y)); }

CKERNEL_CLONES
void ck_relu(float *x, size_t count) {
  for (size_t i = 0; i < count; i++) x[i] = x[i] > 0 ? x[i] : 0;
}

CKERNEL_CLONES
void ck_silu(float *x, size_t count) {
  for (size_t i = 0; i < count; i++) x[i] = ck_gated(x[i], x[i]);
}

// x/2 · (1 + tanh(√(2/π)(x + 0.044715x³)))   (Hendrycks & Gimpel 2016)
CKERNEL_CLONES
void ck_gelu_tanh(float *x, size_t count) {
  for (size_t i = 0; i < count; i++) {
    float v = x[i];
    x[i] = ck_gated(v, 1.5957691216057308f * (v + 0.044715f * v * v * v));
  }
}

// x·Φ(x) = max(x, 0) − |x|/2 · erfc(|x|/√2); erfc by the Chebyshev fit of Press et al., Numerical Recipes, 6.2
// (relative error below 1.2e-7).
CKERNEL_CLONES
void ck_gelu(float *x, size_t count) {
  for (size_t i = 0; i < count; i++) {
    float v = x[i];
    float a = __builtin_fabsf(v);
    float z = a * 0.70710678118654752f;
    float t = 1.0f / (1.0f + 0.5f * z);
    float p = 0.17087277f;
    p = p * t - 0.82215223f;
    p = p * t + 1.48851587f;
    p = p * t - 1.13520398f;
    p = p * t + 0.27886807f;
    p = p * t - 0.18628806f;
    p = p * t + 0.09678418f;
    p = p * t + 0.37409196f;
    p = p * t + 1.00002368f;
    p = p * t - 1.26551223f;
    float tail = 0.5f * a * t * ck_exp1(p - z * z);
    x[i] = (v > 0 ? v : 0) - tail;
  }
}

CKERNEL_CLONES
void ck_multiply(float *x, const float *y, size_t count) {
  for (size_t i = 0; i < count; i++) x[i] *= y[i];
}

CKERNEL_CLONES
void ck_scale(float *x, float factor, size_t count) {
  for (size_t i = 0; i < count; i++) x[i] *= factor;
}

// cap · tanh(x / cap); near zero a series keeps the relative error small.
CKERNEL_CLONES
void ck_soft_cap(float *x, float cap, size_t count) {
  float inverse = 1.0f / cap;
  for (size_t i = 0; i < count; i++) {
    float v = x[i] * inverse;
    float a = __builtin_fabsf(v);
    float e = ck_exp1(-2.0f * a);
    float far = (1.0f - e) / (1.0f + e);
    float s = a * a;
    float near = a * (1.0f + s * (-0.33333333333f + s * (0.13333333333f - s * 0.05396825397f)));
    float t = a < 0.1f ? near : far;
    x[i] = cap * (v < 0 ? -t : t);
  }
}
