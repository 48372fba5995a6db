// The MPI that pkg-config finds.
#include <mpi.h>
