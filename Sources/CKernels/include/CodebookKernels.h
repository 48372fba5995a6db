// Inner loops of codebooks: the nearest codes of rows, their sums, and the gradient of both.
#ifndef CODEBOOKKERNELS_H
#define CODEBOOKKERNELS_H

#include <stddef.h>
#include <stdint.h>

/// The `active` columns of largest scores[row][column] + offsets[column], largest first; ties go to the first column.
/// Scores are changed. chosen: rows with a stride of `chosen_stride`, numbers as floats.
void ck_largest_columns(
  float *scores, const float *offsets, size_t rows, size_t columns, size_t active, float *chosen,
  size_t chosen_stride);

/// target[row] = Σ codes[chosen[row][j]], for one book: `width` columns from target, rows `target_stride` apart.
/// Numbers that are not those of a code add nothing.
void ck_sum_codes(
  const float *codes, size_t count, size_t width, const float *chosen, size_t chosen_stride, size_t active,
  size_t rows, float *target, size_t target_stride);

/// gradient[code] += dy[row] + pull · (y[row] − x[row]) for every code that is active in a row, for one book.
void ck_add_code_gradient(
  const float *dy, const float *x, const float *y, size_t stride, size_t width, const float *chosen,
  size_t chosen_stride, size_t active, size_t rows, size_t count, float pull, float *gradient);

#endif
