// 16-bit floats to float32, exactly, and the search for values that are not finite.
#include "CKernels.h"
#include "Clones.h"

typedef union { uint32_t bits; float value; } ck_word;

CKERNEL_CLONES
void ck_widen_bfloat16(const uint16_t *in, float *out, size_t count) {
  uint32_t *words = (uint32_t *)out;
  for (size_t i = 0; i < count; i++) words[i] = (uint32_t)in[i] << 16;
}

// The exponent and mantissa, moved to their float32 places, are too small by 2^112: one exact multiplication puts
// normal and subnormal numbers right. An exponent of all ones (infinity, NaN) is filled up afterwards.
CKERNEL_CLONES
void ck_widen_float16(const uint16_t *in, float *out, size_t count) {
  const ck_word scale = { 0x77800000u };
  for (size_t i = 0; i < count; i++) {
    uint32_t half = in[i];
    ck_word word = { (half & 0x7fffu) << 13 };
    word.value *= scale.value;
    word.bits |= (half & 0x7c00u) == 0x7c00u ? 0x7f800000u : 0u;
    word.bits |= (half & 0x8000u) << 16;
    out[i] = word.value;
  }
}

CKERNEL_CLONES
static int ck_block_is_finite(const uint32_t *words, size_t count) {
  uint32_t bad = 0;
  for (size_t i = 0; i < count; i++) bad |= (words[i] & 0x7f800000u) == 0x7f800000u ? 1u : 0u;
  return bad == 0;
}

size_t ck_first_not_finite(const float *x, size_t count) {
  const uint32_t *words = (const uint32_t *)x;
  const size_t block = 4096;
  for (size_t start = 0; start < count; start += block) {
    size_t length = count - start < block ? count - start : block;
    if (ck_block_is_finite(words + start, length)) continue;
    for (size_t i = start; i < start + length; i++)
      if ((words[i] & 0x7f800000u) == 0x7f800000u) return i;
  }
  return count;
}
