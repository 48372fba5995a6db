// Loops over float32 arrays that a compiler must vectorise: activations, softmax, norms.
// Every function is plain C; `CKERNEL_CLONES` asks for one clone per x86-64 level, chosen when the program starts.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>

/// x[i] = exp(x[i]).
void ck_exp(float *x, size_t count);

#endif
