// Loops that training needs: the backward halves of the layers, the loss, and the optimiser's step.
#ifndef CKERNELS_GRADIENTS_H
#define CKERNELS_GRADIENTS_H

#include <stddef.h>
#include <stdint.h>

/// y = (x − mean) · deviation⁻¹ · weight + bias over each row; keeps mean and 1/deviation of each row.
void ck_layer_norm_keeping(
    const float *x, const float *weight, const float *bias, float *y, float *mean, float *inverse,
    size_t rows, size_t width, float epsilon);

/// The gradient of a layer norm: adds to dx, dweight and dbias.
void ck_layer_norm_backward(
    const float *x, const float *weight, const float *mean, const float *inverse, const float *dy, float *dx,
    float *dweight, float *dbias, size_t rows, size_t width);

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

/// sums[j] += Σ over rows of x[row][j].
void ck_add_column_sums(const float *x, float *sums, size_t rows, size_t width);

/// y[row][j] += bias[j].
void ck_add_row(float *y, const float *bias, size_t rows, size_t width);

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
