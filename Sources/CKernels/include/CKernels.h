// Loops over float32 arrays that a compiler must vectorise: activations, softmax, norms.
// Every function is plain C; `CKERNEL_CLONES` asks for one clone per x86-64 level, chosen when the program starts.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "TreeKernels.h"

/// x[i] = exp(x[i]).
void ck_exp(float *x, size_t count);

/// out[i] = in[i], read as bfloat16 (the upper half of a float32).
void ck_widen_bfloat16(const uint16_t *in, float *out, size_t count);

/// out[i] = in[i], read as IEEE binary16.
void ck_widen_float16(const uint16_t *in, float *out, size_t count);

/// The index of the first infinity or NaN, or `count` where there is none.
size_t ck_first_not_finite(const float *x, size_t count);

/// x[i] += y[i].
void ck_add(float *x, const float *y, size_t count);
/// x[i] *= y[i].
void ck_multiply(float *x, const float *y, size_t count);
/// x[i] *= factor.
void ck_scale(float *x, float factor, size_t count);

/// Activations, in place. `ck_gelu` is exact to float32, `ck_gelu_tanh` the approximation that GPT-2 uses.
void ck_relu(float *x, size_t count);
void ck_silu(float *x, size_t count);
void ck_gelu(float *x, size_t count);
void ck_gelu_tanh(float *x, size_t count);
/// x[i] = cap · tanh(x[i] / cap).
void ck_soft_cap(float *x, float cap, size_t count);

/// One row's layer normalisation; `gain` and `bias` may be null; `out` may be `x`.
void ck_layer_norm(const float *x, const float *gain, const float *bias, float epsilon, float *out, size_t width);
/// One row's root-mean-square normalisation with gain `gain[i] + gainOffset`; `gain` may be null; `out` may be `x`.
void ck_rms_norm(const float *x, const float *gain, float gainOffset, float epsilon, float *out, size_t width);
/// One row's softmax, in place.
void ck_softmax(float *x, size_t count);
/// Turns the pairs (x[i], x[i + half]) by given angles.
void ck_rotate_halves(float *x, const float *cosines, const float *sines, size_t half);

#endif
