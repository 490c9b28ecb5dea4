# Sourced by sltt-launch where mpirun is Open MPI's: what it is told, and what it tells. How it behaves was
# measured with 4.1, and with 5.0, which calls some variables and its daemon by other names.
# shellcheck shell=bash

# The signal that makes mpirun end its ranks and itself.
readonly end_signal=TERM

# Its messages are on the standard error alone. These come before mpirun ends.
readonly tells_on_output=false end_marks='^MPI_ABORT was invoked|^Primary job +terminated|lost communication with'

# The MPI operator of Kubernetes names its hostfile in this variable.
readonly default_hostfile=${OMPI_MCA_orte_default_hostfile-${PRTE_MCA_prte_default_hostfile-}}

# Sets agent, the command with which mpirun reaches other hosts.
find_agent() {
  local alternative
  # The first of the alternatives that is there.
  while IFS= read -r -d : alternative; do
    read -ra agent <<<"$alternative"
    ! command -v -- "${agent[0]-}" >/dev/null || break
  done <<<"${PRTE_MCA_plm_ssh_agent:-${OMPI_MCA_plm_rsh_agent:-ssh}}:"
  local -a arguments
  read -ra arguments <<<"${PRTE_MCA_plm_ssh_args:-${OMPI_MCA_plm_rsh_args-}}"
  agent+=("${arguments[@]}")
}

# ring_is_faster RANKS: whether a ring adds gradients up faster than what Open MPI chooses, which is made for
# powers of two: by simulation (BENCHMARKS.md, Algorithms of the all-reduce).
ring_is_faster() {
  local -i count=$1
  (((count & (count - 1)) != 0)) || return 1
  if ((ranks_per_node == 1)); then
    ((count * network_speed <= 600))
  else
    ((ranks_per_node == 2 && count == 6))
  fi
}

# plan_mpirun RANKS HOST…: sets mpirun, the command but for the program.
plan_mpirun() {
  local mapping=ppr:$ranks_per_node:node hostfile=$hosts
  if [[ $bind == none ]]; then
    mpirun=("$mpirun_program" -n "$1" --map-by "$mapping" --bind-to none)
  else
    mpirun=("$mpirun_program" -n "$1" --map-by "$mapping:PE=$threads" --bind-to core)
  fi
  # With the option, waiting ranks also yield their core.
  ! $is_oversubscribed || mpirun+=(--oversubscribe)
  if (($# - 1 < ${#host_names[@]})); then
    hostfile=$scratch/hosts
    awk -v names="${*:2}" '
      BEGIN { count = split(names, list, " "); for (i = 1; i <= count; i++) wanted[list[i]] }
      $1 in wanted' <"$hosts" >"$hostfile"
  fi
  [[ -z $hostfile ]] || mpirun+=(--hostfile "$hostfile")
  if [[ -n $network_speed ]] && ring_is_faster "$1"; then
    mpirun+=(--mca coll_tuned_use_dynamic_rules 1 --mca coll_tuned_allreduce_algorithm 4)
  fi
  mpirun+=(-x "OMP_NUM_THREADS=$threads" -x SLTT_LAUNCH_ID)
  [[ -z ${LD_LIBRARY_PATH-} ]] || mpirun+=(-x LD_LIBRARY_PATH)
}

# start_mpirun COMMAND…: its URI goes to $job_uri, by which clean_host knows what it has left.
start_mpirun() {
  rm -f -- "$job_uri"
  supervise "$end_signal" "$1" --report-uri "$job_uri" "${@:2}"
}

# read_messages: from mpirun's messages sets, where they say so, victim, the rank that was killed, and
# signal, by which; loss, how a host was lost; code, with which a rank ended the job.
read_messages() {
  local host
  read -r victim host signal <<<"$(found \
    'noticed that process rank ([0-9]+) with PID [0-9]+ on node (\S+) exited on signal ([0-9]+)' \
    '\1 \2 \3')"
  victim="rank $victim on $host"
  host=$(found 'Remote daemon: .* on node (\S+)' '\1')
  if [[ -n $host ]]; then
    loss="host $host was lost: mpirun's connection to it broke"
  elif [[ -n $(found '(unable to reliably start|daemon has unexpectedly failed|daemon failed to report back)' '\1') ]]; then
    loss="mpirun could not start its daemon on a host; its message above says more"
  fi
  code=$(found '^(with errorcode|  Errorcode:) ([0-9]+)\.?$' '\2')
  : "${code:=$(found '^ *Exit code: +([0-9]+)$' '\1')}"
}

# last_job: the URI of the last mpirun.
last_job() { [[ ! -s $job_uri ]] || head -n 1 "$job_uri"; }

# list_daemons URI: the folders in /proc of mpirun's daemons.
list_daemons() {
  local file name
  # shellcheck disable=SC2013  # paths without spaces
  for file in $([[ -z $1 ]] || grep -lzF "$1" /proc/[0-9]*/cmdline 2>/dev/null); do
    IFS= read -r -d "" name 2>/dev/null <"$file" && [[ $name == *@(orted|prted) ]] && echo "${file%/*}"
  done
}

# remove_traces URI: the shared memory and the session folders of mpirun. When killed, it or its daemon
# leaves 4 MiB of memory a rank, and a folder.
remove_traces() {
  local folder file space=${1%%;*}
  # Open MPI 5 calls the job by a name.
  for file in "${TMPDIR:-/tmp}"/ompi.*/pmix.*.tool."${space%.*}"; do
    [[ $space != prterun-* || ! -e $file ]] || rm -rf -- "${file%/*}"
  done
  [[ $1 =~ ^([0-9]+)\. ]] || return 0
  local -i family=$((BASH_REMATCH[1] >> 16))
  rm -f -- /dev/shm/vader_segment.*."$UID.$(printf %x "$family")0001."*
  for folder in "${TMPDIR:-/tmp}"/ompi.*."$UID"/{jf."$family",pid.*}; do
    [[ $folder == *jf.* ]] || grep -qsF "$1" "$folder/contact.txt" || continue
    rm -rf -- "$folder"
  done
}
