// What the kernels share: multi-versioning and the scalar exp that every loop inlines.
#ifndef CKERNELS_CLONES_H
#define CKERNELS_CLONES_H

#include <stdint.h>

#pragma clang fp contract(fast)

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
// The function that chooses a version runs before the sanitizer does.
#define CKERNEL_ONE_VERSION
#endif
#endif

#if defined(__x86_64__) && defined(__linux__) && !defined(CKERNEL_ONE_VERSION)
#define CKERNEL_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CKERNEL_CLONES
#endif

/// exp(x) within 2 ulp for |x| < 87; 0 below −87.3, +inf is clamped to exp(88). Branch-free, so that loops vectorise.
static inline __attribute__((always_inline)) float ck_exp1(float x) {
  float clamped = x < -87.3f ? -87.3f : (x > 88.0f ? 88.0f : x);
  float scaled = clamped * 1.44269504088896341f;
  float rounded = __builtin_floorf(scaled + 0.5f);
  float reduced = clamped - rounded * 0.693359375f;
  reduced = reduced + rounded * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * reduced + 1.3981999507e-3f;
  p = p * reduced + 8.3334519073e-3f;
  p = p * reduced + 4.1665795894e-2f;
  p = p * reduced + 1.6666665459e-1f;
  p = p * reduced + 5.0000001201e-1f;
  float result = p * reduced * reduced + reduced + 1.0f;
  union { int32_t bits; float value; } power = { ((int32_t)rounded + 127) << 23 };
  float value = result * power.value;
  return x < -87.3f ? 0.0f : value;
}

#endif
