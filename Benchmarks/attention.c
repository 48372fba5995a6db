// The two products of attention for one head, beside OpenBLAS on one thread: microseconds, and the ratio of the two.
//
//   clang -O2 -c Sources/CKernels/AttentionProducts.c -ISources/CKernels/include -o /tmp/kernel.o
//   clang -O2 Benchmarks/attention.c /tmp/kernel.o -ISources/CKernels/include $(pkg-config --cflags --libs openblas) -o /tmp/attention
//   OPENBLAS_NUM_THREADS=1 /tmp/attention
//
// Heads are 64 wide, in rows of 36 of them as in a layer of GPT-2. Best of five, by the thread's own time.

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "CKernels.h"

enum { WIDTH = 64, STRIDE = 2304, VALUES = 768 };

static double seconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec + 1e-9 * time.tv_nsec;
}

int main(void) {
  const int lengths[] = {10, 16, 64, 256, 1024};
  printf("%9s %10s %12s %12s\n", "positions", "OpenBLAS", "causal", "all keys");
  for (size_t index = 0; index < sizeof lengths / sizeof *lengths; index++) {
    const int length = lengths[index];
    float *rows = malloc(sizeof(float) * length * STRIDE), *scores = calloc((size_t)length * length, sizeof(float));
    float *mix = malloc(sizeof(float) * length * VALUES);
    float *panel = malloc(sizeof(float) * 16 * (length > WIDTH ? length : WIDTH));
    int32_t *ends = malloc(sizeof(int32_t) * length);
    if (!rows || !scores || !mix || !panel || !ends) return 1;
    for (int i = 0; i < length; i++) ends[i] = i + 1;
    for (int i = 0; i < length * STRIDE; i++) rows[i] = (float)drand48() - 0.5f;
    const int repeats = 1 + (int)(5e8 / (4.0 * length * length * WIDTH));
    double best[3] = {1e9, 1e9, 1e9};
    for (int round = 0; round < 5; round++) {
      for (int way = 0; way < 3; way++) {
        const int32_t *seen = way == 1 ? ends : NULL;
        const double start = seconds();
        for (int repeat = 0; repeat < repeats; repeat++) {
          if (way == 0) {
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, length, length, WIDTH, 0.125f, rows, STRIDE,
                        rows + VALUES, STRIDE, 0, scores, length);
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, length, WIDTH, length, 1, scores, length,
                        rows + 2 * VALUES, STRIDE, 0, mix, VALUES);
          } else {
            ck_attention_scores(rows, STRIDE, rows + VALUES, STRIDE, length, length, WIDTH, 0.125f, seen, panel, scores,
                                length);
            ck_attention_mix(scores, length, rows + 2 * VALUES, STRIDE, length, length, WIDTH, seen, panel, mix, VALUES);
          }
        }
        const double taken = (seconds() - start) / repeats;
        if (taken < best[way]) best[way] = taken;
      }
    }
    printf("%9d %10.2f %7.2f %4.2f %7.2f %4.2f\n", length, 1e6 * best[0], 1e6 * best[1], best[1] / best[0], 1e6 * best[2],
           best[2] / best[0]);
    free(rows), free(scores), free(mix), free(panel), free(ends);
  }
  return 0;
}
