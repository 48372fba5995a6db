// Small-image loops. A convolution works on a copy of its input with a border of zeros, so that no row or column is a
// special case; eight neighbouring pixels are one vector, and the nine weights stay in registers.
#include "Clones.h"
#include "ImageKernels.h"

#include <stdlib.h>
#include <string.h>

/// Eight floats anywhere in memory.
typedef float ck_eight __attribute__((vector_size(32), aligned(4), may_alias));

/// A copy of [channels][h][w] with a border of zeros: [channels][h + 2][w + 2]. The caller frees it.
static float *bordered(const float *in, size_t channels, size_t h, size_t w) {
  float *copy = calloc(channels * (h + 2) * (w + 2) + 8, sizeof(float));
  if (!copy) abort();
  for (size_t c = 0; c < channels; c++)
    for (size_t y = 0; y < h; y++)
      memcpy(copy + (c * (h + 2) + y + 1) * (w + 2) + 1, in + (c * h + y) * w, w * sizeof(float));
  return copy;
}

CKERNEL_CLONES
void ck_convolve3x3(const float *in, size_t channels_in, size_t h, size_t w, const float *weights,
                    const float *bias, size_t channels_out, float *out) {
  float *copy = bordered(in, channels_in, h, w);
  size_t stride = w + 2;
  for (size_t o = 0; o < channels_out; o++) {
    for (size_t y = 0; y < h; y++) {
      float *target = out + (o * h + y) * w;
      for (size_t x = 0; x < w; x++) target[x] = bias[o];
      for (size_t c = 0; c < channels_in; c++) {
        // Copies: a store to the target must not make the weights be read again.
        float k[9];
        memcpy(k, weights + (o * channels_in + c) * 9, sizeof k);
        const float *a = copy + (c * (h + 2) + y) * stride, *b = a + stride, *d = b + stride;
        size_t x = 0;
        for (; x + 8 <= w; x += 8) {
          ck_eight above = k[0] * *(const ck_eight *)(a + x);
          ck_eight middle = k[3] * *(const ck_eight *)(b + x);
          ck_eight below = k[6] * *(const ck_eight *)(d + x);
          above += k[1] * *(const ck_eight *)(a + x + 1);
          middle += k[4] * *(const ck_eight *)(b + x + 1);
          below += k[7] * *(const ck_eight *)(d + x + 1);
          above += k[2] * *(const ck_eight *)(a + x + 2);
          middle += k[5] * *(const ck_eight *)(b + x + 2);
          below += k[8] * *(const ck_eight *)(d + x + 2);
          *(ck_eight *)(target + x) += above + middle + below;
        }
        for (; x < w; x++)
          target[x] += k[0] * a[x] + k[1] * a[x + 1] + k[2] * a[x + 2] + k[3] * b[x] + k[4] * b[x + 1]
              + k[5] * b[x + 2] + k[6] * d[x] + k[7] * d[x + 1] + k[8] * d[x + 2];
      }
    }
  }
  free(copy);
}

CKERNEL_CLONES
void ck_convolve3x3_gradient(const float *in, size_t channels_in, size_t h, size_t w,
                             const float *out_gradient, size_t channels_out, float *weights_gradient,
                             float *bias_gradient) {
#pragma clang fp reassociate(on)
  float *copy = bordered(in, channels_in, h, w);
  size_t stride = w + 2;
  for (size_t o = 0; o < channels_out; o++) {
    const float *plane = out_gradient + o * h * w;
    float total = 0;
    for (size_t i = 0; i < h * w; i++) total += plane[i];
    bias_gradient[o] += total;
    for (size_t c = 0; c < channels_in; c++) {
      ck_eight s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0}, s5 = {0}, s6 = {0}, s7 = {0}, s8 = {0};
      float rest[9] = {0};
      for (size_t y = 0; y < h; y++) {
        const float *g = plane + y * w;
        const float *a = copy + (c * (h + 2) + y) * stride, *b = a + stride, *d = b + stride;
        size_t x = 0;
        for (; x + 8 <= w; x += 8) {
          ck_eight slope = *(const ck_eight *)(g + x);
          s0 += slope * *(const ck_eight *)(a + x);
          s1 += slope * *(const ck_eight *)(a + x + 1);
          s2 += slope * *(const ck_eight *)(a + x + 2);
          s3 += slope * *(const ck_eight *)(b + x);
          s4 += slope * *(const ck_eight *)(b + x + 1);
          s5 += slope * *(const ck_eight *)(b + x + 2);
          s6 += slope * *(const ck_eight *)(d + x);
          s7 += slope * *(const ck_eight *)(d + x + 1);
          s8 += slope * *(const ck_eight *)(d + x + 2);
        }
        for (; x < w; x++) {
          for (size_t t = 0; t < 3; t++) {
            rest[t] += g[x] * a[x + t];
            rest[3 + t] += g[x] * b[x + t];
            rest[6 + t] += g[x] * d[x + t];
          }
        }
      }
      ck_eight sums[9] = {s0, s1, s2, s3, s4, s5, s6, s7, s8};
      float *k = weights_gradient + (o * channels_in + c) * 9;
      for (size_t t = 0; t < 9; t++) {
        float sum = rest[t];
        for (size_t lane = 0; lane < 8; lane++) sum += sums[t][lane];
        k[t] += sum;
      }
    }
  }
  free(copy);
}

CKERNEL_CLONES
void ck_max_pool2(const float *in, size_t h, size_t w, float *out) {
  for (size_t y = 0; y < h / 2; y++) {
    const float *up = in + 2 * y * w, *down = up + w;
    float *target = out + y * (w / 2);
    for (size_t x = 0; x < w / 2; x++) {
      float a = up[2 * x] > up[2 * x + 1] ? up[2 * x] : up[2 * x + 1];
      float b = down[2 * x] > down[2 * x + 1] ? down[2 * x] : down[2 * x + 1];
      target[x] = a > b ? a : b;
    }
  }
}

CKERNEL_CLONES
void ck_max_pool2_gradient(const float *in, const float *out, const float *out_gradient, size_t h, size_t w,
                           float *in_gradient) {
  for (size_t y = 0; y < h / 2; y++) {
    const float *up = in + 2 * y * w, *down = up + w;
    float *up_gradient = in_gradient + 2 * y * w, *down_gradient = up_gradient + w;
    const float *largest = out + y * (w / 2), *g = out_gradient + y * (w / 2);
    for (size_t x = 0; x < w / 2; x++) {
      int a = up[2 * x] == largest[x];
      int b = !a && up[2 * x + 1] == largest[x];
      int c = !a && !b && down[2 * x] == largest[x];
      up_gradient[2 * x] = a ? g[x] : 0;
      up_gradient[2 * x + 1] = b ? g[x] : 0;
      down_gradient[2 * x] = c ? g[x] : 0;
      down_gradient[2 * x + 1] = (a || b || c) ? 0 : g[x];
    }
  }
}

CKERNEL_CLONES
void ck_upsample2(const float *in, size_t h, size_t w, float *out) {
  for (size_t y = 0; y < 2 * h; y++) {
    const float *row = in + (y / 2) * w;
    float *target = out + y * 2 * w;
    for (size_t x = 0; x < w; x++) target[2 * x] = target[2 * x + 1] = row[x];
  }
}

CKERNEL_CLONES
void ck_upsample2_gradient(const float *out_gradient, size_t h, size_t w, float *in_gradient) {
  for (size_t y = 0; y < h; y++) {
    const float *up = out_gradient + 4 * y * w, *down = up + 2 * w;
    for (size_t x = 0; x < w; x++)
      in_gradient[y * w + x] = up[2 * x] + up[2 * x + 1] + down[2 * x] + down[2 * x + 1];
  }
}
