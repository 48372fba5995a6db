// The BLAS interface of OpenBLAS, and its thread controls.
#include <cblas.h>
