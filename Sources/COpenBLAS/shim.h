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
