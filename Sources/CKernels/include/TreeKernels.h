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

/// Adds one row's SHAP terms of one tree to `attributions` [slots, width, 8·blocks].
///
/// Nodes stand parents first. states[n] tells which of node n's three factor tables holds for the row; tables are
/// [nodes, 6, 8·blocks]: three factors of the path product, three coefficients. leaves[n] is the first of a leaf's
/// `width` numbers in `values`, or −1. `products` [nodes, 8·blocks] and `sums` [nodes, width, 8·blocks] are scratch.
void ck_shap_sweep(
  const int32_t *parents, const int32_t *slots, const int32_t *leaves, const uint8_t *states,
  const double *tables, const double *weights, size_t blocks, size_t count, const double *values, size_t width,
  double *products, double *sums, double *attributions);

#endif
