// Loops over float32 arrays that a compiler must vectorise: activations, softmax, norms.
// Every function is plain C; `CKERNEL_CLONES` asks for one clone per x86-64 level, chosen when the program starts.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

/// x[i] = exp(x[i]).
void ck_exp(float *x, size_t count);

/// out[i] = in[i], read as bfloat16 (the upper half of a float32).
void ck_widen_bfloat16(const uint16_t *in, float *out, size_t count);

/// out[i] = in[i], read as IEEE binary16.
void ck_widen_float16(const uint16_t *in, float *out, size_t count);

/// The index of the first infinity or NaN, or `count` where there is none.
size_t ck_first_not_finite(const float *x, size_t count);

#endif
