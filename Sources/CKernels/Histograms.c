// Sums of gradients by bin and the best place to cut them, and rows parted at a cut: the inner loops of growing trees.
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

/// Rows between two sums into doubles. 4096 · 2^18 units fit 32 bits.
enum { FIXED_BLOCK = 4096, AHEAD = 16 };

/// Calls `visit` for every row of a node, with the terms and codes of rows to come on their way to the cache.
#define FOR_EACH_RECORD(visit)                                                                                    \
  for (size_t i = 0; i < count; i++) {                                                                            \
    size_t row = rows ? (size_t)rows[i] : first + i;                                                              \
    if (rows) {                                                                                                   \
      size_t later = (size_t)rows[i + AHEAD < count ? i + AHEAD : i];                                             \
      __builtin_prefetch(all_terms + later * term_stride);                                                        \
      __builtin_prefetch(all_codes + later * code_stride);                                                        \
    }                                                                                                             \
    const uint8_t *pair_of_row = all_terms + row * term_stride;                                                   \
    const uint8_t *codes = all_codes + row * code_stride;                                                         \
    visit                                                                                                         \
  }

/// cells[offsets[f] + codes[f]] += term, four codes a load.
#define ADD_TO_EVERY_FEATURE(cells, term)                                                                         \
  {                                                                                                               \
    size_t f = 0;                                                                                                 \
    for (; f + 4 <= features; f += 4) {                                                                           \
      uint32_t four;                                                                                              \
      __builtin_memcpy(&four, codes + f, 4);                                                                      \
      cells[offsets[f] + (four & 255)] += term;                                                                   \
      cells[offsets[f + 1] + (four >> 8 & 255)] += term;                                                          \
      cells[offsets[f + 2] + (four >> 16 & 255)] += term;                                                         \
      cells[offsets[f + 3] + (four >> 24)] += term;                                                               \
    }                                                                                                             \
    for (; f < features; f++) cells[offsets[f] + codes[f]] += term;                                               \
  }

static void add_fixed(
  const uint8_t *all_terms, size_t term_stride, const uint8_t *all_codes, size_t code_stride, const int32_t *rows,
  size_t first, size_t count, const uint32_t *offsets, size_t features, int64_t *block) {
  FOR_EACH_RECORD({
    int64_t term;
    __builtin_memcpy(&term, pair_of_row, 8);
    ADD_TO_EVERY_FEATURE(block, term)
  })
}

CKERNEL_CLONES
static void unpack(const int64_t *block, size_t cells, double g_unit, double h_unit, double *histogram) {
  for (size_t c = 0; c < cells; c++) {
    histogram[2 * c] += g_unit * (double)(int32_t)(block[c] >> 32);
    histogram[2 * c + 1] += h_unit * (double)(uint32_t)block[c];
  }
}

void ck_fixed_record_histogram(
  const uint8_t *all_terms, size_t term_stride, const uint8_t *all_codes, size_t code_stride, const int32_t *rows,
  size_t first, size_t count, const uint32_t *offsets, size_t features, size_t cells, double g_unit, double h_unit,
  int64_t *block, double *histogram) {
  for (size_t start = 0; start < count; start += FIXED_BLOCK) {
    size_t part = count - start < FIXED_BLOCK ? count - start : FIXED_BLOCK;
    __builtin_memset(block, 0, cells * sizeof(int64_t));
    add_fixed(
      all_terms, term_stride, all_codes, code_stride, rows ? rows + start : 0, first + start, part, offsets, features,
      block);
    unpack(block, cells, g_unit, h_unit, histogram);
  }
}

void ck_record_histogram(
  const uint8_t *all_terms, size_t term_stride, const uint8_t *all_codes, size_t code_stride, const int32_t *rows,
  size_t first, size_t count, const uint32_t *offsets, size_t features, double *histogram) {
  pair *cells = (pair *)histogram;
  FOR_EACH_RECORD({
    narrow_pair narrow;
    __builtin_memcpy(&narrow, pair_of_row, 8);
    pair term = __builtin_convertvector(narrow, pair);
    ADD_TO_EVERY_FEATURE(cells, term)
  })
}

size_t ck_part_rows(
  const uint8_t *codes, const int32_t *rows, size_t first, size_t count, const uint8_t *goes_left, int32_t *left,
  int32_t *right) {
  size_t lefts = 0;
  for (size_t i = 0; i < count; i++) {
    int32_t row = rows ? rows[i] : (int32_t)(first + i);
    size_t is_left = goes_left[codes[row]];
    left[lefts] = row;
    right[i - lefts] = row;
    lefts += is_left;
  }
  return lefts;
}

CKERNEL_CLONES
void ck_logistic_gradients(const double *scores, const float *truths, size_t count, float *pairs) {
  for (size_t i = 0; i < count; i++) {
    float p = 1.0f / (1.0f + ck_exp1(-(float)scores[i]));
    float h = p * (1.0f - p);
    pairs[2 * i] = p - truths[i];
    pairs[2 * i + 1] = h > 1e-16f ? h : 1e-16f;
  }
}

CKERNEL_CLONES
size_t ck_gather_cells(
  const float *column, const int32_t *places, const int32_t *rows, size_t count, float *cells, float *low,
  float *high) {
  float least = __builtin_inff(), most = -__builtin_inff();
  size_t missing = 0;
  if (places)
    for (size_t i = 0; i < count; i++) cells[i] = column[places[rows[i]]];
  else
    for (size_t i = 0; i < count; i++) cells[i] = column[rows[i]];
  for (size_t i = 0; i < count; i++) {
    float value = cells[i];
    least = value < least ? value : least;
    most = value > most ? value : most;
    missing += value != value;
  }
  *low = least;
  *high = most;
  return missing;
}

CKERNEL_CLONES
size_t ck_left_of_two(
  const float *cells, const int32_t *labels, size_t count, float threshold, int missing_left, size_t *second) {
  int32_t lefts = 0, ones = 0, missing = missing_left != 0;
  for (size_t i = 0; i < count; i++) {
    float value = cells[i];
    int32_t is_left = (value <= threshold) | ((value != value) & missing);
    lefts += is_left;
    ones += is_left & labels[i];
  }
  *second = (size_t)ones;
  return (size_t)lefts;
}

size_t ck_part_cells(
  const float *column, const int32_t *places, int32_t *rows, size_t count, float threshold, int missing_left,
  int32_t *moved) {
  size_t lefts = 0;
  for (size_t i = 0; i < count; i++) {
    int32_t row = rows[i];
    float value = column[places ? places[row] : row];
    size_t is_left = (value <= threshold) | ((value != value) & (missing_left != 0));
    rows[lefts] = row;
    moved[i - lefts] = row;
    lefts += is_left;
  }
  __builtin_memcpy(rows + lefts, moved, (count - lefts) * sizeof(int32_t));
  return lefts;
}

CKERNEL_CLONES
void ck_load_units(
  const float *pairs, size_t count, float g_units, float h_units, size_t stride, uint8_t *records) {
  int64_t packed[256];
  for (size_t start = 0; start < count; start += 256) {
    size_t part = count - start < 256 ? count - start : 256;
    const float *own = pairs + 2 * start;
    for (size_t i = 0; i < part; i++) {
      float g = own[2 * i] * g_units, h = own[2 * i + 1] * h_units;
      int32_t gradient = (int32_t)(g + (g < 0 ? -0.5f : 0.5f));
      int32_t hessian = (int32_t)(h + 0.5f);
      hessian = hessian < 1 && h > 0 ? 1 : hessian;
      packed[i] = ((int64_t)gradient << 32) + hessian;
    }
    for (size_t i = 0; i < part; i++) __builtin_memcpy(records + (start + i) * stride, &packed[i], 8);
  }
}

CKERNEL_CLONES
void ck_encode(const float *values, size_t count, const float *cuts, uint8_t missing, uint8_t *codes) {
  for (size_t i = 0; i < count; i++) {
    float value = values[i];
    int32_t place = 0;
    for (int32_t half = 128; half > 0; half >>= 1) place += cuts[place + half - 1] < value ? half : 0;
    codes[i] = value != value ? missing : (uint8_t)place;
  }
}
