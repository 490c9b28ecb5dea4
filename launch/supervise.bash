# Sourced by sltt-launch: runs a command, usually mpirun, in a session of its own, lets signals end it
# well, and tells afterwards why it ended.
# shellcheck shell=bash

# The process of the command that runs, or empty, and the signal that ends it.
job='' job_end_signal=''

# The number of signals that asked to stop, and the last.
stop_signals=0 stop_signal=''

# Whether the command writes a checkpoint and ends on SIGUSR1.
job_saves_on_signal=false

# How the last command ended, see judge.
job_status=0 job_reason='' job_can_restart=false

# Seconds for what takes mpirun one or two when all is well; after them it is killed.
readonly patience=10

prepare_supervision() {
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/sltt-launch.XXXXXX")
  trap 'rm -rf -- "$scratch"' EXIT
  # Nobody may read any more what is said; see `say`.
  trap '' PIPE
  local name
  for name in USR1 TERM INT HUP; do
    # shellcheck disable=SC2064
    trap "stop_job $name" "$name"
  done
  # Processes of this launch are known by it, on every host.
  launch_id=$(uname -n)-$$-$(date +%s%N)
  job_log=$scratch/messages job_uri=$scratch/uri
}

# stop_job SIGNAL: after the first signal the ranks finish their iteration and write a checkpoint, for
# mpirun forwards SIGUSR1 at once and without a deadline (SIGTERM would leave the ranks one second).
# After the second, or where nothing is to be saved, the job ends at once.
stop_job() {
  stop_signals=$((stop_signals + 1))
  stop_signal=$1
  [[ -n $job ]] || return 0
  if ((stop_signals == 1)) && $job_saves_on_signal; then
    kill -USR1 "$job" 2>/dev/null || true
    say "SIG$1: the ranks finish their iteration and write a checkpoint; a second signal ends them"
  else
    end_job
    say "SIG$1: ending the job"
  fi
}

end_job() {
  touch "$scratch/ending"
  kill "-$job_end_signal" "$job" 2>/dev/null || true
}

is_stopping() { ((stop_signals > 0)); }

# Ends the launcher where a signal came and no training was there to be stopped.
stop_here() {
  say "stopped by SIG$stop_signal; the same command goes on"
  exit 75
}

# await PROCESS: its status. Unlike a mere wait it is not cut short by signals to the launcher.
await() {
  while kill -0 "$1" 2>/dev/null; do wait "$1" || true; done
  wait "$1"
}

# pause SECONDS: or until a signal comes.
pause() {
  sleep "$1" &
  wait $! || kill $! 2>/dev/null || true
}

# supervise SIGNAL COMMAND…: runs it to its end, which SIGNAL brings about. Its messages are in $job_log
# afterwards.
supervise() {
  local status=0 output messages watcher copier
  local -a copiers=()
  # setsid: a Ctrl-C of the terminal is for the launcher, not for mpirun. setpriv: if the launcher is
  # killed, mpirun ends, too.
  local -a supervised=(setsid)
  job_end_signal=$1
  shift
  ! setpriv --pdeathsig keep true 2>/dev/null \
    || supervised+=(setpriv --pdeathsig "$job_end_signal")
  : >"$job_log"
  rm -f "$scratch/ending"
  exec {messages}> >(keep_messages >&2)
  copiers=($!)
  if $tells_on_output; then
    exec {output}> >(keep_messages)
    copiers+=($!)
  else
    exec {output}>&1
  fi
  SLTT_LAUNCH_ID=$launch_id "${supervised[@]}" "$@" </dev/null >&"$output" 2>&"$messages" \
    {messages}>&- {output}>&- &
  job=$!
  exec {messages}>&- {output}>&-
  # A signal may have come before there was a job.
  ! is_stopping || end_job
  watch_job "$job" &
  watcher=$!
  # Without bash's own message about a killed process.
  { await "$job" || status=$?; } 2>/dev/null
  job=''
  kill -KILL "$watcher" 2>/dev/null || true
  wait "$watcher" 2>/dev/null || true
  # A process elsewhere that still holds the job's standard error must not hold up the launcher.
  for copier in "${copiers[@]}"; do timeout 2 tail -s 0.05 --pid="$copier" -f /dev/null || true; done
  return "$status"
}

# keep_messages: copies the standard input to the standard output and $job_log.
keep_messages() {
  trap '' USR1 TERM INT HUP
  exec tee --append -- "$job_log"
}

# watch_job PROCESS: kills mpirun where it has been told to end, or has ended the job, and is still there:
# it waits for every host to confirm that, which a lost one never does.
watch_job() {
  trap '' USR1 TERM INT HUP
  local -i looked=0 size
  until [[ -e $scratch/ending ]]; do
    size=$(stat -c %s -- "$job_log")
    ! tail -c "+$((looked + 1))" -- "$job_log" | grep -E "$end_marks" >/dev/null || break
    # The end of a line may come later.
    looked=$((size > 4096 ? size - 4096 : 0))
    sleep 1
    kill -0 "$1" 2>/dev/null || return 0
  done
  sleep "$patience"
  ! kill -KILL "$1" 2>/dev/null || echo "error: mpirun did not end and was killed" >&2
}

# judge STATUS: from mpirun's status and messages sets job_status, why the job ended as job_reason, and
# whether another attempt can do better as job_can_restart.
judge() {
  local victim='' signal='' loss='' code=''
  job_status=$1 job_can_restart=true
  read_messages
  # Having lost a host, mpirun of Open MPI 5 ends with 0.
  if ((job_status == 0)) && [[ -z $loss$code ]]; then
    job_reason="it is done" job_can_restart=false
  elif [[ -n $signal ]]; then
    job_status=$((128 + signal))
    # A rank that the launcher's own signal met before it could listen.
    ! is_stopping || [[ $(kill -l "$signal") != USR1 ]] || job_status=75
    job_reason="$victim was killed by signal $signal (SIG$(kill -l "$signal"))"
    case $signal in
      9) job_reason+=": usually out of memory or an operator" ;;
      4 | 5 | 6 | 7 | 8 | 11) job_reason+=": the program or one of its libraries crashed" ;;
    esac
  elif [[ -n $loss ]]; then
    job_status=71 job_reason=$loss
  elif [[ -z $code ]] && ((job_status > 128)); then
    job_reason="mpirun itself ended with status $job_status, as if by a signal"
  else
    job_status=${code:-$job_status}
    judge_exit
  fi
}

# found PATTERN TEXT: the text with what the pattern first matched in a line of the job's messages; Open
# MPI 5 breaks the line that names a killed rank.
found() { sed -nE "/ exited on$/{N;s/\n/ /};/$1/{s/.*$1.*/$2/p;q}" "$job_log"; }

# How the program ends: Sources/Distributed/Launch/ExitStatus.swift.
judge_exit() {
  case $job_status in
    71) job_reason="a rank lost the others; the first message above that names a rank says which" ;;
    124) job_reason="it stood still, and the watchdog ended it; its message above says where" ;;
    75) job_reason="a signal stopped it" job_can_restart=false ;;
    *)
      job_reason="the first message above that names a rank says why"
      job_can_restart=false
      ;;
  esac
}
