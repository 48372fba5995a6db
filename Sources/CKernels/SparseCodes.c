// One training step of a sparse autoencoder with tied bias, where most feature activations are zero.
//
// Activations are kept as sparse rows: `counts[i]` pairs of a feature's place and its value, from `i * capacity` on.
// Work that adds over samples is split by columns, so that results do not depend on the number of threads.
#include <math.h>
#include <string.h>

#include "CKernels.h"
#include "Clones.h"

#pragma clang fp reassociate(on)

CKERNEL_CLONES
void ck_unit_rows(float *w, size_t rows, size_t columns) {
  for (size_t r = 0; r < rows; r++) {
    float *row = w + r * columns;
    float sum = 0;
    for (size_t i = 0; i < columns; i++) sum += row[i] * row[i];
    float scale = 1.0f / __builtin_elementwise_sqrt(sum);
    for (size_t i = 0; i < columns; i++) row[i] *= scale;
  }
}

CKERNEL_CLONES
void ck_unit_columns(float *w, size_t rows, size_t columns, size_t from, size_t to, float *scratch) {
  for (size_t i = from; i < to; i++) scratch[i] = 0;
  for (size_t r = 0; r < rows; r++) {
    const float *row = w + r * columns;
    for (size_t i = from; i < to; i++) scratch[i] += row[i] * row[i];
  }
  for (size_t i = from; i < to; i++) scratch[i] = 1.0f / __builtin_elementwise_sqrt(scratch[i]);
  for (size_t r = 0; r < rows; r++) {
    float *row = w + r * columns;
    for (size_t i = from; i < to; i++) row[i] *= scratch[i];
  }
}

CKERNEL_CLONES
float ck_dot(const float *a, const float *b, size_t count) {
  float sum = 0;
  for (size_t i = 0; i < count; i++) sum += a[i] * b[i];
  return sum;
}

// Twelve sums at a time: as many as sixteen vector registers hold beside what they are made of.
enum { tile_rows = 4, tile_chosen = 3 };

CKERNEL_CLONES
void ck_chosen_products(const float *x, size_t rows, size_t width, const float *weights, const int32_t *chosen,
                        size_t count, float *products) {
  for (size_t i = 0; i < rows; i += tile_rows) {
    size_t height = rows - i < tile_rows ? rows - i : tile_rows;
    for (size_t j = 0; j < count; j += tile_chosen) {
      size_t breadth = count - j < tile_chosen ? count - j : tile_chosen;
      if (height == tile_rows && breadth == tile_chosen) {
        const float *a = x + i * width, *b = a + width, *c = b + width, *d = c + width;
        const float *p = weights + (size_t)chosen[j] * width, *q = weights + (size_t)chosen[j + 1] * width,
                    *r = weights + (size_t)chosen[j + 2] * width;
        float ap = 0, aq = 0, ar = 0, bp = 0, bq = 0, br = 0, cp = 0, cq = 0, cr = 0, dp = 0, dq = 0, dr = 0;
        for (size_t k = 0; k < width; k++) {
          float u = p[k], v = q[k], w = r[k];
          ap += a[k] * u, aq += a[k] * v, ar += a[k] * w;
          bp += b[k] * u, bq += b[k] * v, br += b[k] * w;
          cp += c[k] * u, cq += c[k] * v, cr += c[k] * w;
          dp += d[k] * u, dq += d[k] * v, dr += d[k] * w;
        }
        float *out = products + i * count + j;
        out[0] = ap, out[1] = aq, out[2] = ar;
        out += count;
        out[0] = bp, out[1] = bq, out[2] = br;
        out += count;
        out[0] = cp, out[1] = cq, out[2] = cr;
        out += count;
        out[0] = dp, out[1] = dq, out[2] = dr;
      } else {
        for (size_t row = i; row < i + height; row++) {
          for (size_t n = j; n < j + breadth; n++) {
            products[row * count + n] = ck_dot(x + row * width, weights + (size_t)chosen[n] * width, width);
          }
        }
      }
    }
  }
}

void ck_compress_rows(const float *pre, const float *bias, const int32_t *live, size_t columns, size_t capacity,
                      size_t from, size_t to, float *values, int32_t *places, int32_t *counts, float *largest) {
  for (size_t i = from; i < to; i++) {
    const float *row = pre + i * columns;
    float *value = values + i * capacity;
    int32_t *place = places + i * capacity;
    size_t count = 0;
    for (size_t j = 0; j < columns; j++) {
      float v = row[j] + bias[j];
      largest[j] = v > largest[j] ? v : largest[j];
      value[count] = v;
      place[count] = live[j];
      count += v > 0;
    }
    counts[i] = (int32_t)count;
  }
}

void ck_keep_largest(size_t keep, size_t capacity, size_t from, size_t to, float *values, int32_t *places,
                     int32_t *counts) {
  for (size_t i = from; i < to; i++) {
    float *value = values + i * capacity;
    int32_t *place = places + i * capacity;
    // A selection sort of the first `keep` places: they are few.
    for (size_t k = 0; k < keep && k < (size_t)counts[i]; k++) {
      size_t best = k;
      for (size_t j = k + 1; j < (size_t)counts[i]; j++) {
        if (value[j] > value[best]) best = j;
      }
      float v = value[k];
      int32_t p = place[k];
      value[k] = value[best];
      place[k] = place[best];
      value[best] = v;
      place[best] = p;
    }
    if ((size_t)counts[i] > keep) counts[i] = (int32_t)keep;
  }
}

CKERNEL_CLONES
double ck_residual_gradients(const float *x, const float *bias, size_t width, size_t from, size_t to, float scale,
                             float *decoded) {
  double total = 0;
  for (size_t i = from; i < to; i++) {
    const float *sample = x + i * width;
    float *g = decoded + i * width;
    float squares = 0;
    for (size_t d = 0; d < width; d++) {
      float r = g[d] + bias[d] - sample[d];
      squares += r * r;
      g[d] = r * scale;
    }
    total += squares;
  }
  return total;
}

CKERNEL_CLONES
double ck_sparse_decode(const float *x, const float *bias, const float *directions, size_t width, size_t capacity,
                        const int32_t *chosen, size_t from, size_t to, const float *values, const int32_t *places,
                        const int32_t *counts, float scale, float sparsity, float *residual_gradients,
                        float *slopes) {
  double total = 0;
  for (size_t t = from; t < to; t++) {
    size_t i = (size_t)chosen[t];
    const float *sample = x + i * width;
    float *g = residual_gradients + i * width;
    const float *value = values + i * capacity;
    const int32_t *place = places + i * capacity;
    size_t count = (size_t)counts[i];
    for (size_t d = 0; d < width; d++) g[d] = bias[d] - sample[d];
    size_t k = 0;
    for (; k + 1 < count; k += 2) {
      float a = value[k], b = value[k + 1];
      const float *first = directions + (size_t)place[k] * width, *second = directions + (size_t)place[k + 1] * width;
      for (size_t d = 0; d < width; d++) g[d] += a * first[d] + b * second[d];
    }
    if (k < count) {
      float a = value[k];
      const float *first = directions + (size_t)place[k] * width;
      for (size_t d = 0; d < width; d++) g[d] += a * first[d];
    }
    float squares = 0;
    for (size_t d = 0; d < width; d++) {
      squares += g[d] * g[d];
      g[d] *= scale;
    }
    total += squares;
    for (size_t n = 0; n < count; n++) {
      const float *direction = directions + (size_t)place[n] * width;
      float sum = 0;
      for (size_t d = 0; d < width; d++) sum += g[d] * direction[d];
      slopes[i * capacity + n] = sum + sparsity;
    }
  }
  return total;
}

CKERNEL_CLONES
void ck_sparse_gradients(const float *x, const float *residual_gradients, const int32_t *chosen, size_t chosen_count,
                         size_t width, size_t capacity, size_t from, size_t to, const float *values,
                         const float *slopes, const int32_t *places, const int32_t *counts, const int32_t *live,
                         size_t live_count, float *encoder, float *decoder, float *sum, float *sample_sum) {
  size_t length = to - from;
  for (size_t d = from; d < to; d++) sum[d] = sample_sum[d] = 0;
  for (size_t j = 0; j < live_count; j++) {
    memset(encoder + (size_t)live[j] * width + from, 0, length * sizeof(float));
    memset(decoder + (size_t)live[j] * width + from, 0, length * sizeof(float));
  }
  for (size_t t = 0; t < chosen_count; t++) {
    size_t i = (size_t)chosen[t];
    const float *sample = x + i * width + from, *g = residual_gradients + i * width + from;
    for (size_t d = 0; d < length; d++) sum[from + d] += g[d];
    for (size_t d = 0; d < length; d++) sample_sum[from + d] += sample[d];
    for (size_t n = 0; n < (size_t)counts[i]; n++) {
      size_t row = (size_t)places[i * capacity + n] * width + from;
      float *e = encoder + row, *o = decoder + row;
      float slope = slopes[i * capacity + n], value = values[i * capacity + n];
      for (size_t d = 0; d < length; d++) e[d] += slope * sample[d];
      for (size_t d = 0; d < length; d++) o[d] += value * g[d];
    }
  }
}

/// w −= rate · m/(√v · inverse_root + epsilon) after the moving averages took in g. Returns the squared length of the
/// change.
static inline __attribute__((always_inline)) float adam(float *w, float *m, float *v, float g, const ck_adam_t *o) {
  *m = *m + (1 - o->beta1) * (g - *m);
  *v = o->beta2 * *v + (1 - o->beta2) * g * g;
  float change = o->rate * *m / (__builtin_elementwise_sqrt(*v) * o->inverse_root + o->epsilon);
  *w -= change;
  return change * change;
}

CKERNEL_CLONES
float ck_adam_projected(float *w, float *m, float *v, const float *gradient, const float *bias, float bias_weight,
                        size_t count, const ck_adam_t *options) {
  const ck_adam_t o = *options;
  float along = 0, moved = 0;
  if (!gradient) {
    for (size_t i = 0; i < count; i++) moved += adam(w + i, m + i, v + i, 0, &o);
    return moved;
  }
  for (size_t i = 0; i < count; i++) along += (gradient[i] - bias_weight * bias[i]) * w[i];
  for (size_t i = 0; i < count; i++) {
    moved += adam(w + i, m + i, v + i, gradient[i] - bias_weight * bias[i] - along * w[i], &o);
  }
  return moved;
}

CKERNEL_CLONES
void ck_adam_projected_columns(float *w, float *m, float *v, const float *gradient, const uint8_t *is_live, size_t rows,
                               size_t columns, size_t from, size_t to, float *along, const ck_adam_t *options) {
  const ck_adam_t o = *options;
  for (size_t i = from; i < to; i++) along[i] = 0;
  for (size_t r = 0; r < rows; r++) {
    if (!is_live[r]) continue;
    const float *g = gradient + r * columns, *row = w + r * columns;
    for (size_t i = from; i < to; i++) along[i] += g[i] * row[i];
  }
  for (size_t r = 0; r < rows; r++) {
    size_t start = r * columns;
    const float *g = gradient + start;
    if (is_live[r]) {
      for (size_t i = from; i < to; i++) {
        adam(w + start + i, m + start + i, v + start + i, g[i] - along[i] * w[start + i], &o);
      }
    } else {
      for (size_t i = from; i < to; i++) {
        adam(w + start + i, m + start + i, v + start + i, -along[i] * w[start + i], &o);
      }
    }
  }
}
