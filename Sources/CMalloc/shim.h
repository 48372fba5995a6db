// The C library's allocator: what Swift's module of it leaves out.
#include <malloc.h>
