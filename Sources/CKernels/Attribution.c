// One row through one tree, for SHAP values by quadrature: two sweeps over the nodes, parents before children and back.
#include "CKernels.h"
#include "Clones.h"

typedef double octet __attribute__((vector_size(64), aligned(8)));

CKERNEL_CLONES
void ck_shap_sweep(
  const int32_t *parents, const int32_t *slots, const int32_t *leaves, const uint8_t *states,
  const double *tables, const double *weights, size_t blocks, size_t count, const double *values, size_t width,
  double *products, double *sums, double *attributions) {
  octet *product = (octet *)products, *sum = (octet *)sums, *attribution = (octet *)attributions;
  const octet *table = (const octet *)tables, *weight = (const octet *)weights;
  for (size_t b = 0; b < blocks; b++) product[b] = weight[b];
  for (size_t n = 1; n < count; n++) {
    const octet *ratio = table + (n * 6 + states[n]) * blocks;
    for (size_t b = 0; b < blocks; b++) product[n * blocks + b] = product[parents[n] * blocks + b] * ratio[b];
  }
  // Siblings stand side by side: what is below them is summed before what is above.
  for (size_t n = count; n > 2; n -= 2) {
    octet *above = sum + parents[n - 1] * width * blocks;
    for (size_t side = 1; side <= 2; side++) {
      size_t own = n - side;
      octet *target = attribution + slots[own] * width * blocks;
      const octet *coefficient = table + (own * 6 + 3 + states[own]) * blocks;
      for (size_t k = 0; k < width; k++) {
        for (size_t b = 0; b < blocks; b++) {
          octet total = leaves[own] >= 0 ? values[leaves[own] + k] * product[own * blocks + b]
                                         : sum[(own * width + k) * blocks + b];
          above[k * blocks + b] = side == 1 ? total : above[k * blocks + b] + total;
          target[k * blocks + b] += total * coefficient[b];
        }
      }
    }
  }
}
