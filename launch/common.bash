# Sourced by the scripts here: messages, and what mpirun needs to know of this machine.
# shellcheck shell=bash

# Who reads it may be gone, as a tee that Ctrl-C has ended, or a closed terminal; the work goes on.
say() { printf '==> %s\n' "$*" 2>/dev/null || true; }

complain() { printf 'error: %s\n' "$*" >&2 2>/dev/null || true; }

fail() {
  complain "$@"
  exit 1
}

# expand_home VARIABLE: a path in it that begins with ~/ is one in the home directory, as for sltt-dist; a
# shell sees to that only where ~ begins a word.
expand_home() {
  local -n text=$1
  # shellcheck disable=SC2088
  [[ $text != '~' && $text != '~/'* ]] || text=$HOME${text:1}
}

# count_cpus: those that this process may use; the settings of OpenMP, which nproc obeys, are for others.
count_cpus() { env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc; }

# limit_by_quota COUNT: so many processors, or as many as the control groups of this process give it the time
# of, at least 1.
limit_by_quota() {
  local -i count=$1
  local group quota period
  group=$(sed -n 's/^0:://p' /proc/self/cgroup 2>/dev/null || true)
  # That of the process, and those around it; as a container sees it, the last is its own.
  while read -r quota period < <(cat "/sys/fs/cgroup${group%/}/cpu.max" 2>/dev/null || echo max); do
    [[ $quota == max ]] || count=$((quota / period < count ? quota / period : count))
    [[ -n ${group%/} ]] || break
    group=${group%/*}
  done
  # Version 1, in a container.
  if { read -r quota && read -r period; } 2>/dev/null \
    < <(cat /sys/fs/cgroup/cpu/cpu.cfs_{quota,period}_us 2>/dev/null) && ((quota > 0)); then
    count=$((quota / period < count ? quota / period : count))
  fi
  echo $((count > 1 ? count : 1))
}

# name_mpi MPIRUN: which MPI it belongs to, openmpi or mpich.
name_mpi() {
  local version
  version=$("$1" --version 2>&1) || true
  case $version in
    *"Open MPI"*) echo openmpi ;;
    *HYDRA*) echo mpich ;;
    *)
      fail "$1 is the mpirun of neither Open MPI nor MPICH; name one with --mpirun, or put it into PATH." \
        "It calls itself: ${version:0:200}"
      ;;
  esac
}

# choose_mpirun: sets mpirun, which starts as many ranks as one likes, but for their number.
choose_mpirun() {
  mpirun=(mpirun)
  # MPICH counts no cores.
  [[ $(name_mpi mpirun) == mpich ]] || mpirun+=(--oversubscribe --bind-to none)
}

set_mpi_environment() {
  # mpirun refuses to start as root otherwise.
  if ((EUID == 0)); then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  fi
  # mpirun notices after a minute instead of eight that a host is cut off; PRTE is Open MPI 5's.
  local setting variable
  for setting in time=30 intvl=10 probes=3; do
    for variable in {OMPI,PRTE}_MCA_oob_tcp_keepalive_"${setting%=*}"; do
      export "$variable=${!variable-${setting#*=}}"
    done
  done
  # Containers commonly forbid the system call by which Open MPI copies between processes.
  if [[ -e /.dockerenv || -e /run/.containerenv || -n ${KUBERNETES_SERVICE_HOST-} ]]; then
    export OMPI_MCA_btl_vader_single_copy_mechanism=none
  fi
}
