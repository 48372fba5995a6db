// The C interface of HDF5.
#include <hdf5.h>
