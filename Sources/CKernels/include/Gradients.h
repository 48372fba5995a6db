// Loops that training needs: the backward halves of the layers, the loss, and the optimiser's step.
#ifndef CKERNELS_GRADIENTS_H
#define CKERNELS_GRADIENTS_H

#include <stddef.h>
#include <stdint.h>

/// The adjoint of `ck_layer_norm` on one row: adds to dx, and to dgain and dbias where they are not null.
void ck_layer_norm_adjoint(
    const float *x, const float *gain, float epsilon, const float *dy, float *dx, float *dgain, float *dbias,
    size_t width);
/// The adjoint of `ck_rms_norm` on one row: adds to dx, and to dgain where it is not null.
void ck_rms_norm_adjoint(
    const float *x, const float *gain, float gainOffset, float epsilon, const float *dy, float *dx, float *dgain,
    size_t width);
/// The same adjoints with the row's scale held fixed, as layer-wise relevance propagation takes them; they add to dx.
void ck_layer_norm_held_adjoint(
    const float *x, const float *gain, float epsilon, const float *dy, float *dx, size_t width);
void ck_rms_norm_held_adjoint(
    const float *x, const float *gain, float gainOffset, float epsilon, const float *dy, float *dx, size_t width);

/// dx[i] *= act(x[i]) / x[i]: the identity rule of layer-wise relevance propagation; the slope at 0 where x is 0.
void ck_relu_ratio(const float *x, float *dx, size_t count);
void ck_gelu_ratio(const float *x, float *dx, size_t count);
void ck_gelu_tanh_ratio(const float *x, float *dx, size_t count);
void ck_silu_ratio(const float *x, float *dx, size_t count);

/// dx[i] *= the slope of cap · tanh(x / cap), given its value y: 1 − (y / cap)².
void ck_soft_cap_backward(const float *y, float cap, float *dx, size_t count);

/// Turns the pairs (x[i], x[i + half]) back by given angles: the adjoint of `ck_rotate_halves`.
void ck_rotate_halves_back(float *x, const float *cosines, const float *sines, size_t half);
/// The adjoint of `ck_rotate_neighbours`.
void ck_rotate_neighbours_back(float *x, const float *cosines, const float *sines, size_t half);

/// dx[i] *= derivative of ReLU at x[i].
void ck_relu_backward(const float *x, float *dx, size_t count);

/// dx[i] *= derivative of x·Φ(x) at x[i].
void ck_gelu_backward(const float *x, float *dx, size_t count);

/// dx[i] *= derivative of GELU's tanh form at x[i].
void ck_gelu_tanh_backward(const float *x, float *dx, size_t count);

/// dx[i] *= derivative of x·logistic(x) at x[i].
void ck_silu_backward(const float *x, float *dx, size_t count);

/// Turns the gradient of one row of a softmax's result into that of its input: ds = p·(dp − Σ p·dp), in place.
void ck_softmax_row_backward(const float *p, float *dp, size_t count);

/// Σ x[i]², in double precision.
double ck_sum_of_squares(const float *x, size_t count);

/// The loss of one row of logits against equally likely targets: log Σ exp(logits) − mean logit of the targets.
/// Overwrites the logits with weight · gradient. `mass` is the targets' share of probability, `best` the largest logit.
double ck_cross_entropy_row(
    float *logits, size_t count, const int32_t *targets, size_t target_count, float weight, float *mass,
    int32_t *best);

/// One step of AdamW on `count` parameters (Loshchilov & Hutter 2019), gradients scaled first.
void ck_adamw_clipped(
    float *parameter, const float *gradient, float *first, float *second, size_t count, float gradient_scale,
    float beta1, float beta2, float epsilon, float decay_factor, float step_size, float second_correction);

#endif
