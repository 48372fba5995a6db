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

int chdf5_lies_in_file(hid_t file, const char *name) {
  H5L_info_t link;
  if (H5Lget_info(file, name, &link, H5P_DEFAULT) < 0 || link.type != H5L_TYPE_HARD) return 0;
  hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
  if (dataset < 0) return 0;
  hid_t properties = H5Dget_create_plist(dataset);
  int inside = properties >= 0 && H5Pget_external_count(properties) == 0
      && (H5Pget_layout(properties) == H5D_CONTIGUOUS || H5Pget_layout(properties) == H5D_CHUNKED
          || H5Pget_layout(properties) == H5D_COMPACT);
  if (properties >= 0) H5Pclose(properties);
  H5Dclose(dataset);
  return inside;
}
