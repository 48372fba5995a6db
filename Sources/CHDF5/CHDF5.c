// The shims are inline; this file gives the target something to compile.
#include "CHDF5.h"
