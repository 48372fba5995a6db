// Loops over small images, channel planes in row-major order: 3×3 convolution, 2×2 pooling, channel statistics.
#ifndef IMAGE_KERNELS_H
#define IMAGE_KERNELS_H

#include <stddef.h>

/// out[o] = bias[o] + Σ_c weights[o][c] ⋆ in[c], zero-padded: in [channels_in][h][w], out [channels_out][h][w].
void ck_convolve3x3(const float *in, size_t channels_in, size_t h, size_t w, const float *weights,
                    const float *bias, size_t channels_out, float *out);

/// weights_gradient[o][c] += correlation of out_gradient[o] with in[c]; bias_gradient[o] += Σ out_gradient[o].
void ck_convolve3x3_gradient(const float *in, size_t channels_in, size_t h, size_t w,
                             const float *out_gradient, size_t channels_out, float *weights_gradient,
                             float *bias_gradient);

/// Largest of each 2×2 block: in [h][w] with even h and w, out [h/2][w/2].
void ck_max_pool2(const float *in, size_t h, size_t w, float *out);

/// Sends each block's gradient to its first largest element; the others get 0.
void ck_max_pool2_gradient(const float *in, const float *out, const float *out_gradient, size_t h, size_t w,
                           float *in_gradient);

/// Every element twice along both axes: in [h][w], out [2h][2w].
void ck_upsample2(const float *in, size_t h, size_t w, float *out);

/// Sums each 2×2 block of out_gradient [2h][2w] into in_gradient [h][w].
void ck_upsample2_gradient(const float *out_gradient, size_t h, size_t w, float *in_gradient);

/// sums[0] += Σ x, sums[1] += Σ x·y.
void ck_sum_and_dot(const float *x, const float *y, size_t count, double *sums);

/// out = a·x + b.
void ck_scale_shift(const float *x, size_t count, float a, float b, float *out);

/// out = a·x + b·y + c.
void ck_blend(const float *x, const float *y, size_t count, float a, float b, float c, float *out);

/// out = max(x, 0).
void ck_rectify(const float *x, size_t count, float *out);

/// in_gradient = out_gradient where out > 0, else 0.
void ck_rectify_gradient(const float *out, const float *out_gradient, size_t count, float *in_gradient);

/// out = 1 / (1 + exp(−x)).
void ck_logistic(const float *x, size_t count, float *out);

/// One step of AdamW on `count` weights; step_size carries both bias corrections, decay multiplies the weight.
void ck_adamw_tensor(float *weights, const float *gradient, float *mean, float *square, size_t count, float beta1,
              float beta2, float step_size, float second_correction, float epsilon, float decay);

#endif
