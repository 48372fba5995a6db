// Small-image loops. Rows are the vector axis; the two border columns are peeled off.
#include "Clones.h"
#include "ImageKernels.h"

/// out[x] += k[0]·row[x−1] + k[1]·row[x] + k[2]·row[x+1], zero outside.
static inline __attribute__((always_inline)) void add_row(const float *row, const float *k, size_t w,
                                                          float *restrict out) {
  if (w == 1) {
    out[0] += k[1] * row[0];
    return;
  }
  out[0] += k[1] * row[0] + k[2] * row[1];
  for (size_t x = 1; x + 1 < w; x++) out[x] += k[0] * row[x - 1] + k[1] * row[x] + k[2] * row[x + 1];
  out[w - 1] += k[0] * row[w - 2] + k[1] * row[w - 1];
}

/// The same for three rows at once: nine products for every store.
static inline __attribute__((always_inline)) void add_rows(const float *row, const float *k, size_t w,
                                                           float *restrict out) {
  const float *up = row - w, *down = row + w;
  if (w == 1) {
    out[0] += k[1] * up[0] + k[4] * row[0] + k[7] * down[0];
    return;
  }
  out[0] += k[1] * up[0] + k[2] * up[1] + k[4] * row[0] + k[5] * row[1] + k[7] * down[0] + k[8] * down[1];
  for (size_t x = 1; x + 1 < w; x++) {
    float above = k[0] * up[x - 1] + k[1] * up[x] + k[2] * up[x + 1];
    float middle = k[3] * row[x - 1] + k[4] * row[x] + k[5] * row[x + 1];
    float below = k[6] * down[x - 1] + k[7] * down[x] + k[8] * down[x + 1];
    out[x] += above + middle + below;
  }
  size_t e = w - 1;
  out[e] += k[0] * up[e - 1] + k[1] * up[e] + k[3] * row[e - 1] + k[4] * row[e] + k[6] * down[e - 1]
      + k[7] * down[e];
}

CKERNEL_CLONES
void ck_convolve3x3(const float *in, size_t channels_in, size_t h, size_t w, const float *weights,
                    const float *bias, size_t channels_out, float *out) {
  for (size_t o = 0; o < channels_out; o++) {
    for (size_t y = 0; y < h; y++) {
      float *target = out + (o * h + y) * w;
      for (size_t x = 0; x < w; x++) target[x] = bias[o];
      for (size_t c = 0; c < channels_in; c++) {
        const float *k = weights + (o * channels_in + c) * 9;
        const float *row = in + (c * h + y) * w;
        if (y > 0 && y + 1 < h) {
          add_rows(row, k, w, target);
          continue;
        }
        if (y > 0) add_row(row - w, k, w, target);
        add_row(row, k + 3, w, target);
        if (y + 1 < h) add_row(row + w, k + 6, w, target);
      }
    }
  }
}

/// k[0..2] += Σ_x g[x]·row[x−1], g[x]·row[x], g[x]·row[x+1], zero outside.
static inline __attribute__((always_inline)) void correlate_row(const float *row, const float *g, size_t w,
                                                                float *k) {
#pragma clang fp reassociate(on)
  float left = 0, centre = g[0] * row[0], right = 0;
  if (w > 1) {
    right = g[0] * row[1];
    left = g[w - 1] * row[w - 2];
    centre += g[w - 1] * row[w - 1];
  }
  for (size_t x = 1; x + 1 < w; x++) {
    left += g[x] * row[x - 1];
    centre += g[x] * row[x];
    right += g[x] * row[x + 1];
  }
  k[0] += left;
  k[1] += centre;
  k[2] += right;
}

CKERNEL_CLONES
void ck_convolve3x3_gradient(const float *in, size_t channels_in, size_t h, size_t w,
                             const float *out_gradient, size_t channels_out, float *weights_gradient,
                             float *bias_gradient) {
#pragma clang fp reassociate(on)
  for (size_t o = 0; o < channels_out; o++) {
    for (size_t y = 0; y < h; y++) {
      const float *g = out_gradient + (o * h + y) * w;
      float sum = 0;
      for (size_t x = 0; x < w; x++) sum += g[x];
      bias_gradient[o] += sum;
      for (size_t c = 0; c < channels_in; c++) {
        float *k = weights_gradient + (o * channels_in + c) * 9;
        const float *row = in + (c * h + y) * w;
        if (y > 0) correlate_row(row - w, g, w, k);
        correlate_row(row, g, w, k + 3);
        if (y + 1 < h) correlate_row(row + w, g, w, k + 6);
      }
    }
  }
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
