# Sourced by sltt-launch where mpirun is MPICH's, Hydra: what it is told, and what it tells. How it behaves
# was measured with 4.0.
# shellcheck shell=bash

# The signal that makes mpirun end its ranks and itself: it hands SIGTERM on and waits, but when it is gone
# its daemons end the ranks.
readonly end_signal=KILL

# How ranks ended is told on the standard output, at the end. These lines come before; the last is the
# program's: mpirun, having handed a signal on, sometimes waits forever for ranks that have ended.
readonly stop_mark='asked the run to stop|stopped by a signal before'
readonly tells_on_output=true end_marks="^Abort\\([0-9]+\\) on node|^error: the connection to |$stop_mark"

# The MPI operator of Kubernetes names its hostfile in this variable.
readonly default_hostfile=${HYDRA_HOST_FILE-}

# Sets agent, the command with which mpirun reaches other hosts.
find_agent() {
  local -a arguments
  read -ra arguments <<<"${HYDRA_LAUNCHER_EXTRA_ARGS-}"
  agent=("${HYDRA_LAUNCHER_EXEC:-ssh}" "${arguments[@]}")
  # mpirun does not notice that a host is cut off.
  [[ ${agent[0]##*/} != ssh ]] || agent+=(-o ServerAliveInterval=10 -o ServerAliveCountMax=3)
}

# plan_mpirun RANKS HOST…: sets mpirun, the command but for the program.
plan_mpirun() {
  local names
  mpirun=("$mpirun_program" -n "$1" -ppn "$ranks_per_node")
  if [[ $bind == none ]]; then mpirun+=(-bind-to none); else mpirun+=(-bind-to "core:$threads"); fi
  printf -v names ',%s' "${@:2}"
  (($# < 2)) || mpirun+=(-hosts "${names:1}")
  # All other variables go to the ranks, too.
  mpirun+=(-genv OMP_NUM_THREADS "$threads")
}

# start_mpirun COMMAND…: mpirun waits forever for a host on which its daemon did not start, so the agent
# tells of it.
start_mpirun() {
  if ((${#host_names[@]} > 0)); then
    cat >"$scratch/agent" <<END
#!/usr/bin/env bash
for argument; do [[ \$argument != *pmi_proxy* ]] || break; host=\$argument; done
${agent[*]@Q} "\$@" && exit
status=\$?
echo "error: the connection to \$host ended with status \$status" >&2
exit \$status
END
    chmod +x "$scratch/agent"
    local -x HYDRA_LAUNCHER_EXEC=$scratch/agent HYDRA_LAUNCHER_EXTRA_ARGS=''
  fi
  supervise "$end_signal" "$@"
}

# read_messages: from mpirun's messages sets, where they say so, victim, the rank that was killed, and
# signal, by which; loss, how a host was lost; code, with which a rank ended the job.
read_messages() {
  local host status
  # Or it loses their statuses.
  if is_stopping && { ((job_status == 0)) || [[ -n $(found "($stop_mark)" '\1') ]]; }; then
    code=75
    return
  fi
  code=$(found '^Abort\(([0-9]+)\) on node' '\1')
  if ((code > 255)); then
    # Errors of its own, as long as it starts.
    loss="MPI could not connect the ranks; its message above says more"
    return
  fi
  # A rank that lost a killed one ends the job.
  [[ -z $code || $code == 71 ]] || return 0
  victim="a rank on $(found 'PID [0-9]+ RUNNING AT (\S+)' '\1')"
  signal=$(found 'EXIT STRING: .*\(signal ([0-9]+)\)' '\1')
  read -r host status <<<"$(found '^error: the connection to (\S+) ended with status ([0-9]+)' '\1 \2')"
  [[ -z $host ]] || loss="host $host was lost: mpirun's connection to it ended with status $status"
}

# Its daemons are known by their ranks.
last_job() { :; }

# list_daemons JOB FOLDER…: the folders in /proc of mpirun's daemons; those of the ranks are given.
list_daemons() {
  local folder key parent
  for folder in "${@:2}"; do
    while read -r key parent; do
      [[ $key == PPid: ]] || continue
      ! grep -qs pmi_proxy "/proc/$parent/comm" || echo "/proc/$parent"
    done 2>/dev/null <"$folder/status"
  done
}

# Its shared memory has no names.
remove_traces() { :; }
