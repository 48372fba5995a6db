// The allocator of the program: the C library's, but exhausted memory ends the process with a line.
//
// Swift has no way to go on where an array cannot grow, and OpenBLAS tries without end. Only the executable is linked
// with this, so that the libraries leave other programs' allocators alone.

#ifndef CALLOCATION_H
#define CALLOCATION_H

/// Keeps the linker from leaving these functions out.
void allocation_is_explained(void);

#endif
