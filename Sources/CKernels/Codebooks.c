// Codebooks: which codes are nearest, their sum, and the way back.
#include "CKernels.h"
#include "Clones.h"

CKERNEL_CLONES
static float largest(const float *restrict values, size_t count) {
  float lanes[16];
  for (size_t lane = 0; lane < 16; lane++) lanes[lane] = -__builtin_inff();
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    for (size_t lane = 0; lane < 16; lane++) {
      lanes[lane] = values[i + lane] > lanes[lane] ? values[i + lane] : lanes[lane];
    }
  }
  float best = lanes[0];
  for (size_t lane = 1; lane < 16; lane++) best = lanes[lane] > best ? lanes[lane] : best;
  for (; i < count; i++) best = values[i] > best ? values[i] : best;
  return best;
}

CKERNEL_CLONES
void ck_largest_columns(
    float *restrict scores, const float *restrict offsets, size_t rows, size_t columns, size_t active,
    float *restrict chosen, size_t chosen_stride) {
  for (size_t row = 0; row < rows; row++) {
    float *own = scores + row * columns;
    for (size_t column = 0; column < columns; column++) own[column] += offsets[column];
    for (size_t place = 0; place < active; place++) {
      float best = largest(own, columns);
      size_t column = 0;
      // A row of NaN has no largest column and takes the first.
      while (column + 1 < columns && own[column] != best) column++;
      if (own[column] != best) column = 0;
      chosen[row * chosen_stride + place] = (float)column;
      own[column] = -__builtin_inff();
    }
  }
}

CKERNEL_CLONES
void ck_sum_codes(
    const float *restrict codes, size_t count, size_t width, const float *restrict chosen,
    size_t chosen_stride, size_t active, size_t rows, float *restrict target, size_t target_stride) {
  for (size_t row = 0; row < rows; row++) {
    float *own = target + row * target_stride;
    for (size_t column = 0; column < width; column++) own[column] = 0.0f;
    for (size_t place = 0; place < active; place++) {
      float number = chosen[row * chosen_stride + place];
      if (!(number >= 0.0f && number < (float)count)) continue;
      const float *code = codes + (size_t)number * width;
      for (size_t column = 0; column < width; column++) own[column] += code[column];
    }
  }
}

CKERNEL_CLONES
void ck_add_code_gradient(
    const float *restrict dy, const float *restrict x, const float *restrict y, size_t stride, size_t width,
    const float *restrict chosen, size_t chosen_stride, size_t active, size_t rows, size_t count, float pull,
    float *restrict gradient) {
  for (size_t row = 0; row < rows; row++) {
    const float *slope = dy + row * stride, *in = x + row * stride, *out = y + row * stride;
    for (size_t place = 0; place < active; place++) {
      float number = chosen[row * chosen_stride + place];
      if (!(number >= 0.0f && number < (float)count)) continue;
      float *own = gradient + (size_t)number * width;
      for (size_t column = 0; column < width; column++) {
        own[column] += slope[column] + pull * (out[column] - in[column]);
      }
    }
  }
}
