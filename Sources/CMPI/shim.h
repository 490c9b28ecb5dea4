// What Swift cannot import of MPI: handles that are casts inside macros.
#pragma once
#include <mpi.h>

static inline MPI_Comm sltt_mpi_comm_world(void) { return MPI_COMM_WORLD; }
static inline MPI_Info sltt_mpi_info_null(void) { return MPI_INFO_NULL; }
static inline MPI_Errhandler sltt_mpi_errors_return(void) { return MPI_ERRORS_RETURN; }
static inline MPI_Datatype sltt_mpi_float(void) { return MPI_FLOAT; }
static inline MPI_Datatype sltt_mpi_byte(void) { return MPI_BYTE; }
static inline MPI_Datatype sltt_mpi_uint64(void) { return MPI_UINT64_T; }
static inline MPI_Op sltt_mpi_sum(void) { return MPI_SUM; }
static inline void *sltt_mpi_in_place(void) { return MPI_IN_PLACE; }

// Variables for handles that MPI sets. Open MPI's are pointers, which Swift takes for optional, MPICH's
// are integers; as members both are used alike.
typedef struct { MPI_Comm handle; } sltt_mpi_comm;
typedef struct { MPI_Request handle; } sltt_mpi_request;
