// What HDF5's error stack says, as one text. The other shims are inline.
#include "CHDF5.h"

#include <string.h>

struct first_error {
  char *text;
  size_t capacity;
};

/// Called with the innermost error first; anything but 0 ends the walk.
static herr_t copy_description(unsigned depth, const H5E_error2_t *error, void *context) {
  struct first_error *first = context;
  if (depth > 0) return 1;
  if (error->desc && first->capacity > 0) {
    strncpy(first->text, error->desc, first->capacity - 1);
    first->text[first->capacity - 1] = 0;
  }
  return 1;
}

void chdf5_first_error(char *text, size_t capacity) {
  struct first_error first = {text, capacity};
  if (capacity > 0) text[0] = 0;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, copy_description, &first);
}
