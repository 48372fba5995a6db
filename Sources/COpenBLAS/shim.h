// The BLAS interface of OpenBLAS, and its thread controls.
#include <cblas.h>

// Not in cblas.h, and absent from builds without threads.
extern int blas_thread_shutdown_(void) __attribute__((weak));

// One thread from here on, and an end to the workers: they are started as the library is loaded, and spin for tens of
// milliseconds before they sleep. The order matters: setting a number of threads would start them again.
static inline void openblas_end_workers(void) {
  openblas_set_num_threads(1);
  if (blas_thread_shutdown_) blas_thread_shutdown_();
}

// The kernels that a processor's instructions allow, for one that the library does not know by name and serves with those
// of the oldest: null where those are all it can run.
static inline const char *openblas_kernels_by_instructions(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd")
      && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    return "SkylakeX";
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
#endif
  return 0;
}

// LAPACK, which OpenBLAS holds and cblas.h does not name: all eigenvalues and eigenvectors of a symmetric matrix by
// divide and conquer. The last two are the lengths of the one-letter texts, as Fortran passes them.
extern void dsyevd_(
    const char *job, const char *half, const int *order, double *matrix, const int *lead, double *values, double *work,
    const int *work_size, int *whole, const int *whole_size, int *info, unsigned long job_length,
    unsigned long half_length);
