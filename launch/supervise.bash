# Sourced by sltt-launch: runs a command, usually mpirun, in a session of its own, lets signals end it
# well, and tells afterwards why it ended. How mpirun behaves was measured with Open MPI 4.1.
# shellcheck shell=bash

# The process of the command that runs, or empty; the number of signals that asked to stop, the last.
job='' stop_signals=0 stop_signal=''

# Whether the command writes a checkpoint and ends on SIGUSR1.
job_saves_on_signal=false

# How the last command ended, see judge.
job_status=0 job_reason='' job_can_restart=false

# Seconds for what takes mpirun one or two when all is well; after them it is killed.
readonly patience=10

prepare_supervision() {
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/sltt-launch.XXXXXX")
  trap 'rm -rf -- "$scratch"' EXIT
  local name
  for name in USR1 TERM INT HUP; do
    # shellcheck disable=SC2064
    trap "stop_job $name" "$name"
  done
  # Processes of this launch are known by it, on every host.
  launch_id=$(uname -n)-$$-$(date +%s%N)
  job_log=$scratch/messages job_uri=$scratch/uri
  # setsid: a Ctrl-C of the terminal is for the launcher, not for mpirun. setpriv: if the launcher is
  # killed, mpirun ends, too.
  supervised=(setsid)
  ! setpriv --pdeathsig keep true 2>/dev/null || supervised+=(setpriv --pdeathsig TERM)
}

# stop_job SIGNAL: after the first signal the ranks finish their iteration and write a checkpoint, for
# mpirun forwards SIGUSR1 at once and without a deadline (SIGTERM would leave the ranks one second).
# After the second, or where nothing is to be saved, the job ends at once.
stop_job() {
  stop_signals=$((stop_signals + 1))
  stop_signal=$1
  [[ -n $job ]] || return 0
  if ((stop_signals == 1)) && $job_saves_on_signal; then
    say "SIG$1: the ranks finish their iteration and write a checkpoint; a second signal ends them"
    kill -USR1 "$job" 2>/dev/null || true
  else
    say "SIG$1: ending the job"
    end_job
  fi
}

end_job() {
  touch "$scratch/ending"
  kill -TERM "$job" 2>/dev/null || true
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

# supervise COMMAND…: runs it to its end. Its messages are in $job_log afterwards.
supervise() {
  local status=0 messages copier watcher
  : >"$job_log"
  rm -f "$scratch/ending"
  exec {messages}> >(trap '' USR1 TERM INT HUP && exec tee -- "$job_log" >&2)
  copier=$!
  SLTT_LAUNCH_ID=$launch_id "${supervised[@]}" "$@" </dev/null 2>&"$messages" {messages}>&- &
  job=$!
  exec {messages}>&-
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
  timeout 2 tail -s 0.05 --pid="$copier" -f /dev/null || true
  return "$status"
}

# watch_job PROCESS: kills mpirun where it has been told to end, or has ended the job, and is still there:
# it waits for every host to confirm that, which a lost one never does.
watch_job() {
  local marks='^MPI_ABORT was invoked|^Primary job +terminated|lost communication with'
  trap '' USR1 TERM INT HUP
  until [[ -e $scratch/ending ]] || grep -qsE "$marks" "$job_log"; do
    sleep 1
    kill -0 "$1" 2>/dev/null || return 0
  done
  sleep "$patience"
  ! kill -KILL "$1" 2>/dev/null || echo "error: mpirun did not end and was killed" >&2
}

# judge STATUS: from mpirun's status and messages sets job_status, why the job ended as job_reason, and
# whether another attempt can do better as job_can_restart.
judge() {
  local rank='' host='' signal='' code
  job_status=$1 job_can_restart=true
  read -r rank host signal <<<"$(found \
    'noticed that process rank ([0-9]+) with PID [0-9]+ on node (\S+) exited on signal ([0-9]+)' \
    '\1 \2 \3')"
  code=$(found '^with errorcode ([0-9]+)\.' '\1')
  : "${code:=$(found '^ *Exit code: +([0-9]+)$' '\1')}"
  if ((job_status == 0)); then
    job_reason="it is done" job_can_restart=false
  elif [[ -n $signal ]]; then
    job_status=$((128 + signal))
    # A rank that the launcher's own signal met before it could listen.
    ! is_stopping || [[ $(kill -l "$signal") != USR1 ]] || job_status=75
    job_reason="rank $rank on $host was killed by signal $signal (SIG$(kill -l "$signal"))"
    case $signal in
      9) job_reason+=": usually out of memory or an operator" ;;
      4 | 5 | 6 | 7 | 8 | 11) job_reason+=": the program or one of its libraries crashed" ;;
    esac
  elif host=$(found 'Remote daemon: .* on node (\S+)' '\1') && [[ -n $host ]]; then
    job_status=71
    job_reason="host $host was lost: mpirun's connection to it broke"
  elif [[ -n $(found '(unable to reliably start|daemon has unexpectedly failed)' '\1') ]]; then
    job_status=71
    job_reason="mpirun could not start its daemon on a host; its message above says more"
  elif [[ -z $code ]] && ((job_status > 128)); then
    job_reason="mpirun itself ended with status $job_status, as if by a signal"
  else
    job_status=${code:-$job_status}
    judge_exit
  fi
}

# found PATTERN TEXT: the text with what the pattern first matched in the job's messages.
found() { sed -nE "/$1/{s/.*$1.*/$2/p;q}" "$job_log"; }

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
