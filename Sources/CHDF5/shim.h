// Swift does not import these macros of HDF5, which are expressions.
#pragma once

#include <hdf5.h>

static inline hid_t sltt_hdf5_float32(void) { return H5T_IEEE_F32LE; }
static inline hid_t sltt_hdf5_float64(void) { return H5T_IEEE_F64LE; }
static inline hid_t sltt_hdf5_int64(void) { return H5T_STD_I64LE; }
static inline hid_t sltt_hdf5_string(void) { return H5T_C_S1; }
static inline size_t sltt_hdf5_variable_length(void) { return H5T_VARIABLE; }
static inline hid_t sltt_hdf5_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t sltt_hdf5_dataset_creation(void) { return H5P_DATASET_CREATE; }
static inline hid_t sltt_hdf5_link_creation(void) { return H5P_LINK_CREATE; }
static inline unsigned sltt_hdf5_truncate(void) { return H5F_ACC_TRUNC; }
