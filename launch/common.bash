# Sourced by the scripts here: messages, and what mpirun needs to know of this machine.
# shellcheck shell=bash

say() { printf '==> %s\n' "$*"; }

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

set_mpi_environment() {
  # mpirun refuses to start as root otherwise.
  if ((EUID == 0)); then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  fi
  # Containers commonly forbid the system call by which Open MPI copies between processes.
  if [[ -e /.dockerenv || -e /run/.containerenv || -n ${KUBERNETES_SERVICE_HOST-} ]]; then
    export OMPI_MCA_btl_vader_single_copy_mechanism=none
  fi
}
