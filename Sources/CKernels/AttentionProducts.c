// The two products of attention for one head. Every element is one sum over the inner index, in order: it depends on its own
// row and column alone, not on how many rows or keys stand beside them.
#include "CKernels.h"
#include "Clones.h"

#include <string.h>

enum { ROWS = 6, LANES = 16, HALF = 8 };

typedef float lanes_t __attribute__((vector_size(HALF * sizeof(float)), aligned(sizeof(float))));

// sums[r][c] = Σ_t a[r][t]·panel[t][c] for t < depth.
static inline __attribute__((always_inline)) void multiply(const float *const *a, const float *panel, size_t depth,
                                                           float sums[ROWS][LANES]) {
  lanes_t left[ROWS] = {{0}}, right[ROWS] = {{0}};
  for (size_t t = 0; t < depth; t++) {
    const lanes_t first = *(const lanes_t *)(panel + t * LANES);
    const lanes_t second = *(const lanes_t *)(panel + t * LANES + HALF);
#pragma clang loop unroll(full)
    for (int r = 0; r < ROWS; r++) {
      left[r] += a[r][t] * first;
      right[r] += a[r][t] * second;
    }
  }
  for (int r = 0; r < ROWS; r++) {
    *(lanes_t *)(sums[r]) = left[r];
    *(lanes_t *)(sums[r] + HALF) = right[r];
  }
}

// The rows of a group; where there are fewer than a group has, the first stands in for the others.
static inline __attribute__((always_inline)) size_t group(const float *a, size_t stride, size_t row, size_t rows,
                                                          const float **chosen) {
  const size_t count = rows - row < ROWS ? rows - row : ROWS;
  for (size_t r = 0; r < ROWS; r++) chosen[r] = a + (row + (r < count ? r : 0)) * stride;
  return count;
}

// How many keys the rows of a group reach at most.
static inline __attribute__((always_inline)) size_t reach(const int32_t *ends, size_t row, size_t count, size_t keys) {
  if (!ends) return keys;
  size_t most = 0;
  for (size_t r = 0; r < count; r++) most = (size_t)ends[row + r] > most ? (size_t)ends[row + r] : most;
  return most < keys ? most : keys;
}

CKERNEL_CLONES
void ck_attention_scores(const float *queries, size_t query_stride, const float *keys, size_t key_stride, size_t rows,
                         size_t key_count, size_t width, float scale, const int32_t *ends, float *panel, float *scores,
                         size_t score_stride) {
  for (size_t key = 0; key < key_count; key += LANES) {
    const size_t lanes = key_count - key < LANES ? key_count - key : LANES;
    if (lanes < LANES) memset(panel, 0, width * LANES * sizeof(float));
    for (size_t c = 0; c < lanes; c++)
      for (size_t t = 0; t < width; t++) panel[t * LANES + c] = keys[(key + c) * key_stride + t];
    for (size_t row = 0; row < rows; row += ROWS) {
      const float *chosen[ROWS];
      float sums[ROWS][LANES];
      const size_t count = group(queries, query_stride, row, rows, chosen);
      if (reach(ends, row, count, key_count) <= key) continue;
      multiply(chosen, panel, width, sums);
      for (size_t r = 0; r < count; r++)
        for (size_t c = 0; c < lanes; c++) scores[(row + r) * score_stride + key + c] = scale * sums[r][c];
    }
  }
}

CKERNEL_CLONES
void ck_attention_mix(const float *pattern, size_t pattern_stride, const float *values, size_t value_stride, size_t rows,
                      size_t key_count, size_t width, const int32_t *ends, float *panel, float *mix, size_t mix_stride) {
  for (size_t column = 0; column < width; column += LANES) {
    const size_t lanes = width - column < LANES ? width - column : LANES;
    if (lanes < LANES) memset(panel, 0, key_count * LANES * sizeof(float));
    for (size_t t = 0; t < key_count; t++)
      memcpy(panel + t * LANES, values + t * value_stride + column, lanes * sizeof(float));
    for (size_t row = 0; row < rows; row += ROWS) {
      const float *chosen[ROWS];
      float sums[ROWS][LANES];
      const size_t count = group(pattern, pattern_stride, row, rows, chosen);
      multiply(chosen, panel, reach(ends, row, count, key_count), sums);
      for (size_t r = 0; r < count; r++)
        memcpy(mix + (row + r) * mix_stride + column, sums[r], lanes * sizeof(float));
    }
  }
}
