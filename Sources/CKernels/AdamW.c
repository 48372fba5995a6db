// One step of AdamW: decoupled weight decay, then the bias-corrected ratio of the moments.
#include "CKernels.h"
#include "Clones.h"

CKERNEL_CLONES
void ck_adamw_clipped(
    float *restrict parameter, const float *restrict gradient, float *restrict first, float *restrict second,
    size_t count, float gradient_scale, float beta1, float beta2, float epsilon, float decay_factor,
    float step_size, float second_correction) {
  for (size_t i = 0; i < count; i++) {
    float g = gradient[i] * gradient_scale;
    first[i] = beta1 * first[i] + (1.0f - beta1) * g;
    second[i] = beta2 * second[i] + (1.0f - beta2) * g * g;
    float deviation = __builtin_sqrtf(second[i]) * second_correction + epsilon;
    parameter[i] = parameter[i] * decay_factor - step_size * first[i] / deviation;
  }
}
