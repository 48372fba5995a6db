// Loops over float32 arrays that a compiler must vectorise: activations, softmax, norms.
// Every function is plain C; `CKERNEL_CLONES` asks for one clone per x86-64 level, chosen when the program starts.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "CodebookKernels.h"
#include "Gradients.h"
#include "ImageKernels.h"
#include "TreeKernels.h"

/// x[i] = exp(x[i]).
void ck_exp(float *x, size_t count);

/// out[i] = in[i], read as bfloat16 (the upper half of a float32).
void ck_widen_bfloat16(const uint16_t *in, float *out, size_t count);

/// out[i] = in[i], read as IEEE binary16.
void ck_widen_float16(const uint16_t *in, float *out, size_t count);
/// Widens numbers stored in blocks; `format` is GGUF's number of it. 0 for formats that are not known.
int ck_widen_blocks(int format, const uint8_t *blocks, float *out, size_t count);
/// Widens 8-bit floats of four bits of exponent (e4m3) or five (e5m2).
void ck_widen_float8(int has_four_exponent_bits, const uint8_t *source, float *out, size_t count);

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
/// The same with one more score, whose share goes nowhere: the results add up to less than 1.
void ck_softmax_with_sink(float *x, float sink, size_t count);
/// Turns the pairs (x[i], x[i + half]) by given angles.
void ck_rotate_halves(float *x, const float *cosines, const float *sines, size_t half);
/// Turns the pairs (x[2i], x[2i + 1]) by given angles.
void ck_rotate_neighbours(float *x, const float *cosines, const float *sines, size_t half);

/// Scales every row to unit length.
void ck_unit_rows(float *w, size_t rows, size_t columns);
/// Scales columns `from ..< to` to unit length; `scratch` holds `columns` floats.
void ck_unit_columns(float *w, size_t rows, size_t columns, size_t from, size_t to, float *scratch);
/// Σ a[i]·b[i].
float ck_dot(const float *a, const float *b, size_t count);

/// products[i][j] = Σ x[i][k]·weights[chosen[j]][k], for `rows` rows of x and `count` chosen rows of `weights`.
void ck_chosen_products(const float *x, size_t rows, size_t width, const float *weights, const int32_t *chosen,
                        size_t count, float *products);
/// Keeps the positive entries of `pre + bias` of rows `from ..< to` as sparse rows of places `live[j]` and values, and
/// raises `largest[j]` to the column's largest entry.
void ck_compress_rows(const float *pre, const float *bias, const int32_t *live, size_t columns, size_t capacity,
                      size_t from, size_t to, float *values, int32_t *places, int32_t *counts, float *largest);
/// Keeps the `keep` largest values of each sparse row, largest first.
void ck_keep_largest(size_t keep, size_t capacity, size_t from, size_t to, float *values, int32_t *places,
                     int32_t *counts);
/// decoded = scale · (decoded + bias − x) for rows `from ..< to`; returns the squared length before scaling.
double ck_residual_gradients(const float *x, const float *bias, size_t width, size_t from, size_t to, float scale,
                             float *decoded);
/// The same for rows `chosen[from ..< to]`, from sparse rows and feature directions, with `slopes` =
/// gradient·direction + sparsity of each entry.
double ck_sparse_decode(const float *x, const float *bias, const float *directions, size_t width, size_t capacity,
                        const int32_t *chosen, size_t from, size_t to, const float *values, const int32_t *places,
                        const int32_t *counts, float scale, float sparsity, float *residual_gradients,
                        float *slopes);
/// Columns `from ..< to` of encoder += slopeᵀ·x and decoder += valueᵀ·gradients for live features, and the sums of the
/// gradients and of x, all over the chosen rows.
void ck_sparse_gradients(const float *x, const float *residual_gradients, const int32_t *chosen, size_t chosen_count,
                         size_t width, size_t capacity, size_t from, size_t to, const float *values,
                         const float *slopes, const int32_t *places, const int32_t *counts, const int32_t *live,
                         size_t live_count, float *encoder, float *decoder, float *sum, float *sample_sum);

/// One step of Adam (Kingma & Ba 2015): `rate` = lr/(1 − β₁ᵗ), `inverse_root` = 1/√(1 − β₂ᵗ).
typedef struct {
  float rate, beta1, beta2, inverse_root, epsilon;
} ck_adam_t;

/// Adam on one row with the gradient `gradient − bias_weight · bias` less its part along `w`; a null gradient is zero.
/// Returns the squared length of the change.
float ck_adam_projected(float *w, float *m, float *v, const float *gradient, const float *bias, float bias_weight,
                        size_t count, const ck_adam_t *options);
/// Adam on columns `from ..< to`, each less its part along the column; rows that are not live have no gradient.
void ck_adam_projected_columns(float *w, float *m, float *v, const float *gradient, const uint8_t *is_live, size_t rows,
                               size_t columns, size_t from, size_t to, float *along, const ck_adam_t *options);

/// scores[i][j] = scale · Σ queries[i][t]·keys[j][t], each sum in order. Where `ends` is not null, only keys before
/// `ends[i]` are sure to be written in row i. `panel` takes width · 16 numbers.
void ck_attention_scores(const float *queries, size_t query_stride, const float *keys, size_t key_stride, size_t rows,
                         size_t key_count, size_t width, float scale, const int32_t *ends, float *panel, float *scores,
                         size_t score_stride);
/// mix[i][c] = Σ pattern[i][t]·values[t][c], each sum in order. Where `ends` is not null, row i of the pattern must be zero
/// from `ends[i]` on. `panel` takes key_count · 16 numbers.
void ck_attention_mix(const float *pattern, size_t pattern_stride, const float *values, size_t value_stride, size_t rows,
                      size_t key_count, size_t width, const int32_t *ends, float *panel, float *mix, size_t mix_stride);

#endif
