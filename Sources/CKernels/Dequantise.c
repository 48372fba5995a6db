// Numbers that are stored in blocks with a common scale, as GGUF files have them, and 8-bit floats.
//
// Layouts: ggml's block formats, as the `gguf` package's quants.py describes them.

#include "CKernels.h"

#include <string.h>

static float half_at(const uint8_t *bytes) {
  uint16_t bits;
  memcpy(&bits, bytes, 2);
  float value;
  ck_widen_float16(&bits, &value, 1);
  return value;
}

static void q4_0(const uint8_t *block, float *out) {
  float d = half_at(block);
  for (int i = 0; i < 16; i++) {
    out[i] = d * (float)((block[2 + i] & 15) - 8);
    out[i + 16] = d * (float)((block[2 + i] >> 4) - 8);
  }
}

static void q4_1(const uint8_t *block, float *out) {
  float d = half_at(block), m = half_at(block + 2);
  for (int i = 0; i < 16; i++) {
    out[i] = d * (float)(block[4 + i] & 15) + m;
    out[i + 16] = d * (float)(block[4 + i] >> 4) + m;
  }
}

static uint32_t word_at(const uint8_t *bytes) {
  uint32_t word;
  memcpy(&word, bytes, 4);
  return word;
}

static void q5_0(const uint8_t *block, float *out) {
  float d = half_at(block);
  uint32_t high = word_at(block + 2);
  for (int i = 0; i < 16; i++) {
    int low = (block[6 + i] & 15) | (int)((high >> i & 1) << 4);
    int top = (block[6 + i] >> 4) | (int)((high >> (i + 16) & 1) << 4);
    out[i] = d * (float)(low - 16);
    out[i + 16] = d * (float)(top - 16);
  }
}

static void q5_1(const uint8_t *block, float *out) {
  float d = half_at(block), m = half_at(block + 2);
  uint32_t high = word_at(block + 4);
  for (int i = 0; i < 16; i++) {
    int low = (block[8 + i] & 15) | (int)((high >> i & 1) << 4);
    int top = (block[8 + i] >> 4) | (int)((high >> (i + 16) & 1) << 4);
    out[i] = d * (float)low + m;
    out[i + 16] = d * (float)top + m;
  }
}

static void q8_0(const uint8_t *block, float *out) {
  float d = half_at(block);
  for (int i = 0; i < 32; i++) out[i] = d * (float)(int8_t)block[2 + i];
}

static void q2_k(const uint8_t *block, float *out) {
  const uint8_t *scales = block, *q = block + 16;
  float d = half_at(block + 80), least = half_at(block + 82);
  for (int i = 0; i < 256; i++) {
    int group = i / 16, half = i / 128, shift = i % 128 / 32 * 2;
    int value = q[half * 32 + i % 32] >> shift & 3;
    out[i] = d * (float)(scales[group] & 15) * (float)value - least * (float)(scales[group] >> 4);
  }
}

static void q3_k(const uint8_t *block, float *out) {
  const uint8_t *mask = block, *q = block + 32, *packed = block + 96;
  float d = half_at(block + 108);
  for (int i = 0; i < 256; i++) {
    int group = i / 16, half = i / 128, shift = i % 128 / 32 * 2;
    int low = packed[group % 8] >> (group / 8 * 4) & 15;
    int high = packed[8 + group % 4] >> (group / 4 * 2) & 3;
    int scale = (low | high << 4) - 32;
    int value = (q[half * 32 + i % 32] >> shift & 3) - ((mask[i % 32] >> (i / 32) & 1) ? 0 : 4);
    out[i] = d * (float)scale * (float)value;
  }
}

// The scale and the minimum of group j of eight, six bits each.
static void scale_and_minimum(const uint8_t *packed, int j, float *scale, float *minimum) {
  if (j < 4) {
    *scale = (float)(packed[j] & 63);
    *minimum = (float)(packed[4 + j] & 63);
  } else {
    *scale = (float)((packed[4 + j] & 15) | (packed[j - 4] >> 2 & 48));
    *minimum = (float)(packed[4 + j] >> 4 | (packed[j] >> 2 & 48));
  }
}

static void q4_k(const uint8_t *block, float *out) {
  float d = half_at(block), least = half_at(block + 2);
  for (int j = 0; j < 8; j++) {
    float scale, minimum;
    scale_and_minimum(block + 4, j, &scale, &minimum);
    const uint8_t *q = block + 16 + j / 2 * 32;
    float a = d * scale, b = least * minimum;
    for (int i = 0; i < 32; i++) out[32 * j + i] = a * (float)(q[i] >> (j % 2 * 4) & 15) - b;
  }
}

static void q5_k(const uint8_t *block, float *out) {
  float d = half_at(block), least = half_at(block + 2);
  const uint8_t *high = block + 16;
  for (int j = 0; j < 8; j++) {
    float scale, minimum;
    scale_and_minimum(block + 4, j, &scale, &minimum);
    const uint8_t *q = block + 48 + j / 2 * 32;
    float a = d * scale, b = least * minimum;
    for (int i = 0; i < 32; i++) {
      int value = (q[i] >> (j % 2 * 4) & 15) | (high[i] >> j & 1) << 4;
      out[32 * j + i] = a * (float)value - b;
    }
  }
}

static void q6_k(const uint8_t *block, float *out) {
  const uint8_t *low = block, *high = block + 128, *scales = block + 192;
  float d = half_at(block + 208);
  for (int i = 0; i < 256; i++) {
    int half = i / 128, place = i % 128;
    int bits = low[half * 64 + place % 64] >> (place / 64 * 4) & 15;
    int top = high[half * 32 + place % 32] >> (place / 32 * 2) & 3;
    out[i] = d * (float)(int8_t)scales[i / 16] * (float)((bits | top << 4) - 32);
  }
}

int ck_widen_blocks(int format, const uint8_t *blocks, float *out, size_t count) {
  static const struct {
    void (*widen)(const uint8_t *, float *);
    size_t bytes, elements;
  } formats[] = {
      [2] = {q4_0, 18, 32},   [3] = {q4_1, 20, 32},   [6] = {q5_0, 22, 32},   [7] = {q5_1, 24, 32},
      [8] = {q8_0, 34, 32},   [10] = {q2_k, 84, 256}, [11] = {q3_k, 110, 256}, [12] = {q4_k, 144, 256},
      [13] = {q5_k, 176, 256}, [14] = {q6_k, 210, 256},
  };
  if (format < 0 || format > 14 || !formats[format].widen) return 0;
  for (size_t i = 0; i < count; i++)
    formats[format].widen(blocks + i * formats[format].bytes, out + i * formats[format].elements);
  return 1;
}

// Sign, exponent and mantissa; e4m3 has no infinities and one NaN, e5m2 is the upper half of a float16.
void ck_widen_float8(int has_four_exponent_bits, const uint8_t *source, float *out, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint8_t bits = source[i];
    if (!has_four_exponent_bits) {
      uint16_t half = (uint16_t)(bits << 8);
      ck_widen_float16(&half, out + i, 1);
      continue;
    }
    int exponent = bits >> 3 & 15, mantissa = bits & 7;
    float value;
    if (exponent == 15 && mantissa == 7) {
      uint32_t nan = 0x7fc00000;
      memcpy(&value, &nan, 4);
    } else if (exponent == 0) {
      value = (float)mantissa / 512.0f;
    } else {
      uint32_t word = (uint32_t)(exponent + 120) << 23 | (uint32_t)mantissa << 20;
      memcpy(&value, &word, 4);
    }
    out[i] = bits & 128 ? -value : value;
  }
}
