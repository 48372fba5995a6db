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
  for (size_t i = 0; i < count * width * blocks; i++) sum[i] = (octet){0};
  for (size_t n = count - 1; n > 0; n--) {
    octet *own = sum + n * width * blocks, *above = sum + parents[n] * width * blocks;
    octet *target = attribution + slots[n] * width * blocks;
    const octet *coefficient = table + (n * 6 + 3 + states[n]) * blocks;
    for (size_t k = 0; k < width; k++) {
      for (size_t b = 0; b < blocks; b++) {
        octet total = own[k * blocks + b];
        if (leaves[n] >= 0) total += values[leaves[n] + k] * product[n * blocks + b];
        above[k * blocks + b] += total;
        target[k * blocks + b] += total * coefficient[b];
      }
    }
  }
}
