// Sums of gradients by bin, and the best place to cut them: the inner loops of boosted trees.
#include "CKernels.h"
#include "Clones.h"

typedef double pair __attribute__((vector_size(16), aligned(8)));
typedef float narrow_pair __attribute__((vector_size(8), aligned(4)));

void ck_histogram(
  const uint8_t *codes, const int32_t *rows, const uint16_t *slots, const float *gradients, size_t count,
  size_t width, double *histogram) {
  pair *cells = (pair *)histogram;
  const narrow_pair *terms = (const narrow_pair *)gradients;
  if (rows) {
    for (size_t i = 0; i < count; i++)
      cells[slots[i] * width + codes[rows[i]]] += __builtin_convertvector(terms[i], pair);
  } else {
    for (size_t i = 0; i < count; i++)
      cells[slots[i] * width + codes[i]] += __builtin_convertvector(terms[i], pair);
  }
}

/// Left sums at every cut, then all gains at once, then the first largest.
CKERNEL_CLONES
static double best_cut(
  const double *left_g, const double *left_h, size_t cuts, double g, double h, double lambda, double least,
  size_t *place) {
  double gains[256];
  for (size_t b = 0; b < cuts; b++) {
    double lg = left_g[b], lh = left_h[b], rg = g - lg, rh = h - lh;
    double gain = lg * lg / (lh + lambda) + rg * rg / (rh + lambda);
    gains[b] = lh >= least && rh >= least ? gain : -1.0;
  }
  double best = -1.0;
  for (size_t b = 0; b < cuts; b++) best = gains[b] > best ? gains[b] : best;
  size_t found = 0;
  while (found < cuts && gains[found] != best) found++;
  *place = found;
  return best;
}

double ck_best_cut(
  const double *histogram, size_t bins, double lambda, double least, size_t *place, int *missing_left) {
  double left_g[256], left_h[256];
  double g = 0, h = 0;
  for (size_t b = 0; b < bins; b++) {
    g += histogram[2 * b];
    h += histogram[2 * b + 1];
    left_g[b] = g;
    left_h[b] = h;
  }
  double missing_g = histogram[2 * bins], missing_h = histogram[2 * bins + 1];
  size_t cuts = bins > 0 ? bins - 1 : 0;
  size_t right_place = 0;
  double right = best_cut(left_g, left_h, cuts, g + missing_g, h + missing_h, lambda, least, &right_place);
  *place = right_place;
  if (missing_h == 0) {
    // Nothing was missing: later on, a missing cell follows the larger side.
    *missing_left = right_place < cuts && left_h[right_place] * 2 > h;
    return right;
  }
  // The last cut then parts the known cells from the missing ones.
  if (bins > 0) {
    size_t last = 0;
    double apart = best_cut(&left_g[cuts], &left_h[cuts], 1, g + missing_g, h + missing_h, lambda, least, &last);
    if (apart > right) {
      right = apart;
      *place = cuts;
    }
  }
  for (size_t b = 0; b < cuts; b++) {
    left_g[b] += missing_g;
    left_h[b] += missing_h;
  }
  size_t left_place = 0;
  double left = best_cut(left_g, left_h, cuts, g + missing_g, h + missing_h, lambda, least, &left_place);
  *missing_left = left > right;
  if (left > right) {
    *place = left_place;
    return left;
  }
  return right;
}
