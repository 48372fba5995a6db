// One row through one tree, for SHAP values by quadrature: two sweeps over the nodes, parents before children and back.
#include "CKernels.h"
#include "Clones.h"

typedef double quad __attribute__((vector_size(32), aligned(8)));

// With `blocks` known to the compiler the loops over points unroll.
static inline __attribute__((always_inline)) void sweep(
  const int32_t *above, const int32_t *slots, const int32_t *leaves, const uint8_t *states,
  const double *tables, const double *shares, const double *weights, const size_t blocks, size_t pairs,
  const double *values, size_t width, double *products, double *sums, double *attributions) {
  quad *product = (quad *)products, *sum = (quad *)sums, *attribution = (quad *)attributions;
  const quad *table = (const quad *)tables, *weight = (const quad *)weights;
  for (size_t b = 0; b < blocks; b++) product[b] = weight[b];
  for (size_t i = 0; i < pairs; i++) {
    const quad *whole = product + (size_t)above[i] * blocks;
    quad *left = product + (2 * i + 1) * blocks, *right = left + blocks;
    if (states[i] > 1) {
      for (size_t b = 0; b < blocks; b++) left[b] = whole[b] * shares[2 * i];
      for (size_t b = 0; b < blocks; b++) right[b] = whole[b] * shares[2 * i + 1];
    } else {
      const quad *ratio = table + (2 * i + states[i]) * 4 * blocks;
      for (size_t b = 0; b < blocks; b++) left[b] = whole[b] * ratio[b];
      for (size_t b = 0; b < blocks; b++) right[b] = whole[b] * ratio[blocks + b];
    }
  }
  // What is below children is summed before what is above.
  for (size_t i = pairs; i-- > 0;) {
    size_t left = 2 * i + 1, right = left + 1;
    for (size_t k = 0; k < width; k++) {
      quad *target = sum + ((size_t)above[i] * width + k) * blocks;
      quad *moved = attribution + ((size_t)slots[i] * width + k) * blocks;
      const quad *a = leaves[left] >= 0 ? product + left * blocks : sum + (left * width + k) * blocks;
      const quad *c = leaves[right] >= 0 ? product + right * blocks : sum + (right * width + k) * blocks;
      const double u = leaves[left] >= 0 ? values[leaves[left] + k] : 1;
      const double v = leaves[right] >= 0 ? values[leaves[right] + k] : 1;
      if (states[i] > 1) {
        for (size_t b = 0; b < blocks; b++) target[b] = u * a[b] + v * c[b];
      } else {
        const quad *coefficient = table + ((2 * i + states[i]) * 4 + 2) * blocks;
        for (size_t b = 0; b < blocks; b++) {
          quad ours = u * a[b], theirs = v * c[b];
          target[b] = ours + theirs;
          moved[b] += ours * coefficient[b] + theirs * coefficient[blocks + b];
        }
      }
    }
  }
}

CKERNEL_CLONES
void ck_shap_sweep(
  const int32_t *above, const int32_t *slots, const int32_t *leaves, const uint8_t *states,
  const double *tables, const double *shares, const double *weights, size_t blocks, size_t pairs,
  const double *values, size_t width, double *products, double *sums, double *attributions) {
#define SWEEP(COUNT, WIDTH)                                                                                       \
  sweep(                                                                                                          \
    above, slots, leaves, states, tables, shares, weights, COUNT, pairs, values, WIDTH, products, sums, attributions)
  if (width != 1) return SWEEP(blocks, width);
  switch (blocks) {
  case 1: return SWEEP(1, 1);
  case 2: return SWEEP(2, 1);
  case 3: return SWEEP(3, 1);
  case 4: return SWEEP(4, 1);
  default: return SWEEP(blocks, 1);
  }
#undef SWEEP
}

CKERNEL_CLONES
void ck_interaction_pairs(
  const double *fractions, const double *steps, size_t count, const double *points, const double *weights,
  size_t blocks, double value, double *scratch, double *pairs) {
  const quad *point = (const quad *)points, *weight = (const quad *)weights;
  quad *product = (quad *)scratch, *shares = product + blocks;
  for (size_t b = 0; b < blocks; b++) {
    quad whole = value * weight[b];
    for (size_t part = 0; part < count; part++) {
      quad factor = fractions[part] + point[b] * steps[part];
      whole *= factor;
      shares[part * blocks + b] = steps[part] / factor;
    }
    product[b] = whole;
  }
  for (size_t first = 0; first + 1 < count; first++) {
    quad *own = shares + first * blocks;
    for (size_t b = 0; b < blocks; b++) own[b] *= product[b];
    for (size_t second = first + 1; second < count; second++) {
      const quad *other = shares + second * blocks;
      quad sum = own[0] * other[0];
      for (size_t b = 1; b < blocks; b++) sum += own[b] * other[b];
      pairs[first * count + second] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
  }
}
