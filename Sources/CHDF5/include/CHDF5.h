// HDF5's macros as functions, which is how Swift can see them.
#ifndef CHDF5_H
#define CHDF5_H

#include <hdf5.h>

static inline hid_t chdf5_native_float(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t chdf5_native_int32(void) { return H5T_NATIVE_INT32; }
static inline hid_t chdf5_native_uint8(void) { return H5T_NATIVE_UINT8; }
static inline hid_t chdf5_native_int8(void) { return H5T_NATIVE_INT8; }
static inline hid_t chdf5_native_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t chdf5_native_uint64(void) { return H5T_NATIVE_UINT64; }
static inline hid_t chdf5_ieee_f32le(void) { return H5T_IEEE_F32LE; }
static inline hid_t chdf5_std_i8le(void) { return H5T_STD_I8LE; }
static inline hid_t chdf5_std_i32le(void) { return H5T_STD_I32LE; }
static inline hid_t chdf5_std_i64le(void) { return H5T_STD_I64LE; }
static inline hid_t chdf5_std_u64le(void) { return H5T_STD_U64LE; }
static inline hid_t chdf5_std_u8le(void) { return H5T_STD_U8LE; }
static inline hid_t chdf5_c_string(void) { return H5T_C_S1; }
static inline hid_t chdf5_dataset_create(void) { return H5P_DATASET_CREATE; }
static inline hid_t chdf5_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t chdf5_default(void) { return H5P_DEFAULT; }
static inline size_t chdf5_variable_length(void) { return H5T_VARIABLE; }
static inline unsigned chdf5_open_for_reading(void) { return H5F_ACC_RDONLY; }
static inline unsigned chdf5_open_for_writing(void) { return H5F_ACC_RDWR; }
static inline unsigned chdf5_only_new(void) { return H5F_ACC_EXCL; }

/// File access without HDF5's own locks, where this version can do without; to be closed by the caller.
static inline hid_t chdf5_access_without_locks(void) {
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
#if H5_VERSION_GE(1, 12, 1) || (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 11, 0))
  H5Pset_file_locking(access, 0, 1);
#endif
  return access;
}

/// Keeps HDF5 from tidying up when the process ends; to be called before anything else. Every file is flushed and closed
/// by its owner, so nothing is lost; and a file that a full disk kept from closing would have it print
/// "infinite loop closing library".
static inline void chdf5_do_not_wait_for_exit(void) { H5dont_atexit(); }

/// Stops HDF5 from printing its error stack; in thread-safe builds the setting belongs to the calling thread.
static inline void chdf5_stay_silent(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }

/// Whether a dataset's numbers lie in the file itself: links, raw data and virtual parts can lead to any other file.
int chdf5_lies_in_file(hid_t file, const char *name);

/// Copies the description of the error that started the current stack; an empty text where there is none.
void chdf5_first_error(char *text, size_t capacity);

#endif
