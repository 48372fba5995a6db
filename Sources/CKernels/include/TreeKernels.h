// Inner loops of tree ensembles: histograms of gradients, cuts, and SHAP sweeps.
#ifndef TREEKERNELS_H
#define TREEKERNELS_H

#include <stddef.h>
#include <stdint.h>

/// histogram[slots[i]][codes[rows[i]]] += gradients[i] for pairs (gradient, hessian): shape [slots, width, 2].
/// `rows` may be null where row i is i. codes are those of one feature.
void ck_histogram(
  const uint8_t *codes, const int32_t *rows, const uint16_t *slots, const float *gradients, size_t count,
  size_t width, double *histogram);

/// The best cut of one node's histogram [bins + 1, 2], whose last pair is the missing cells'; at most 255 bins.
/// Returns Gl²/(Hl+λ) + Gr²/(Hr+λ), or −1 where no cut leaves both sides `least` hessian; `place` is the last bin on
/// the left.
double ck_best_cut(
  const double *histogram, size_t bins, double lambda, double least, size_t *place, int *missing_left);

/// Histograms of all features at once, of rows that lie in records: the 8 bytes of gradient and hessian of row i at
/// `all_terms` + i · `term_stride`, a code for each feature at `all_codes` + i · `code_stride`.
/// histogram[offsets[f] + code] += (gradient, hessian), shape [cells, 2]. `rows` may be null where row i is first + i.
/// Gradient and hessian are two floats.
void ck_record_histogram(
  const uint8_t *all_terms, size_t term_stride, const uint8_t *all_codes, size_t code_stride, const int32_t *rows,
  size_t first, size_t count, const uint32_t *offsets, size_t features, double *histogram);

/// The same where gradient and hessian are one number, gradient · 2^32 + hessian, in units of `g_unit` and `h_unit`;
/// at most 2^18 and 2^19 units. Sums are exact. `block` [cells] is scratch.
void ck_fixed_record_histogram(
  const uint8_t *all_terms, size_t term_stride, const uint8_t *all_codes, size_t code_stride, const int32_t *rows,
  size_t first, size_t count, const uint32_t *offsets, size_t features, size_t cells, double g_unit, double h_unit,
  int64_t *block, double *histogram);

/// Writes pairs (gradient, hessian) as whole numbers of units to the first 8 bytes of records; a hessian above 0 is one
/// unit at least.
void ck_load_units(
  const float *pairs, size_t count, float g_units, float h_units, size_t stride, uint8_t *records);

/// The number of cuts below each value, or `missing` for NaN. `cuts` are 255 in rising order, infinite ones at the end.
void ck_encode(const float *values, size_t count, const float *cuts, uint8_t missing, uint8_t *codes);

/// Parts rows by their codes, in their order; returns how many went left. `left` and `right` hold `count` + 1 numbers.
size_t ck_part_rows(
  const uint8_t *codes, const int32_t *rows, size_t first, size_t count, const uint8_t *goes_left, int32_t *left,
  int32_t *right);

/// pairs[i] = (p − truth, p (1 − p)) for p = 1 / (1 + exp(−score)).
void ck_logistic_gradients(const double *scores, const float *truths, size_t count, float *pairs);

/// cells[i] = column[places[rows[i]]] (places may be null), their least and greatest; returns how many are NaN.
size_t ck_gather_cells(
  const float *column, const int32_t *places, const int32_t *rows, size_t count, float *cells, float *low, float *high);

/// How many cells are at most the threshold, and how many of these have label 1, for labels 0 and 1.
size_t ck_left_of_two(
  const float *cells, const int32_t *labels, size_t count, float threshold, int missing_left, size_t *second);

/// Puts the rows whose cell is at most the threshold first, both sides in their order; returns how many they are.
/// `moved` holds `count` numbers.
size_t ck_part_cells(
  const float *column, const int32_t *places, int32_t *rows, size_t count, float threshold, int missing_left,
  int32_t *moved);

/// Adds one row's SHAP terms of one tree to `attributions` [slots, width, 4·blocks].
///
/// Nodes stand parents first; pair i of siblings is nodes 2i + 1 and 2i + 2, asked for at node above[i] about the feature of
/// slots[i]. states[i] is 0 where the row follows all questions about that feature down to the left one, 1 down to the right
/// one, 2 where it had left before; tables are [pairs, 2, 4, 4·blocks]: for states 0 and 1 the left one's and the right one's
/// factor of the path product, and their coefficients. In state 2 factors are shares [pairs, 2] and coefficients 0.
/// leaves[n] is the first of a leaf's `width` numbers in `values`, or −1. `products` [nodes, 4·blocks] and `sums`
/// [nodes, width, 4·blocks] are scratch.
void ck_shap_sweep(
  const int32_t *above, const int32_t *slots, const int32_t *leaves, const uint8_t *states,
  const double *tables, const double *shares, const double *weights, size_t blocks, size_t pairs,
  const double *values, size_t width, double *products, double *sums, double *attributions);

/// What one leaf adds to the interaction index of every pair of the `count` features on its path, by quadrature.
///
/// value · stepᵢ stepⱼ · Σ weights · Πₖ≠ᵢ,ⱼ (fractionₖ + point · stepₖ) over 4·blocks points, to pairs[i · count + j] for i < j.
/// `scratch` holds (count + 1) · 4·blocks numbers.
void ck_interaction_pairs(
  const double *fractions, const double *steps, size_t count, const double *points, const double *weights,
  size_t blocks, double value, double *scratch, double *pairs);

#endif
