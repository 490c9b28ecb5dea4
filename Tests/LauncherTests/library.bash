# Sourced by the tests of the launcher: a folder to work in, runs of the launcher, small data.
# shellcheck shell=bash

set -euo pipefail
program=$(realpath -- "${1:?usage: $(basename -- "$0") PROGRAM, the built sltt-dist}")
repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
launcher=$repository/launch/sltt-launch
directory=$(realpath -- "$(mktemp -d)")
cd "$directory"
mkdir tmp
export TMPDIR=$directory/tmp
unset SLURM_JOB_ID SLURM_NTASKS LD_LIBRARY_PATH OMPI_MCA_orte_default_hostfile \
  PRTE_MCA_prte_default_hostfile HYDRA_HOST_FILE

# Which MPI is tested, the one whose mpirun is in PATH; the program was built with it.
# shellcheck source=launch/common.bash
source "$repository/launch/common.bash"
mpi=$(name_mpi mpirun)
readonly mpi

# A name of a file that shells, YAML and Open MPI could take for something else.
readonly odd_name=$'#&!*~ "a\' $x=%p:\\\n'

# What a test is of, in messages.
subject="the launcher"
failures=0 test='' output='' shown='' background=''

trap clean_up EXIT
clean_up() {
  # The launcher's mpirun ends when the launcher is killed, within two seconds.
  [[ -z $background ]] || kill -KILL "$background" 2>/dev/null || true
  local -i tries=50
  while ((tries-- > 0)) && [[ -n $(processes_here) ]]; do sleep 0.1; done
  processes_here | xargs -r kill -KILL 2>/dev/null || true
  ! mountpoint -q disk || umount disk
  rm -rf "$directory"
}

# processes_here: launchers, mpiruns and ranks of this test; their arguments name files in its folder.
processes_here() { pgrep -f -- "$directory" || true; }

nothing_runs() { [[ -z $(processes_here) ]]; }

# launch STATUS ARGUMENT…: runs the launcher, which must end with STATUS; its output goes to $output.
launch() {
  local expected=$1
  shift
  begin "$@"
  finish "$expected"
}

# begin ARGUMENT…: starts the launcher; the variable background is its process. Its output goes to $reader,
# if there is one.
begin() {
  # Commands in the background would ignore SIGINT.
  env --default-signal=INT "$launcher" --program "$program" "$@" >"${reader:-$directory/output}" 2>&1 </dev/null &
  background=$!
}

# Seconds that a launch may take.
patience=300

# finish STATUS: waits for the launcher's end, for so long at most.
finish() {
  local status=0
  if ! timeout "$patience" tail -s 0.05 --pid="$background" -f /dev/null; then
    kill -KILL "$background"
    problem "did not end within $patience s"
  fi
  { wait "$background" || status=$?; } 2>/dev/null
  background=''
  output=$(<"$directory/output")
  ((status == $1)) || problem "ended with status $status instead of $1"
}

# contains TEXT: the launcher's output does.
contains() {
  [[ $output == *"$1"* ]] || problem "does not say: $1"
}

problem() {
  failures=$((failures + 1))
  [[ -z $background ]] || output=$(<"$directory/output")
  printf '✘ %s: %s %s\n' "$test" "$subject" "$1"
  [[ $output == "$shown" ]] || grep -v '^epoch ' <<<"$output" | tail -n 40 | sed 's/^/    /'
  shown=$output
}

# reach_hosts_by PROGRAM: mpirun takes it in place of ssh.
reach_hosts_by() { export {OMPI_MCA_plm_rsh_agent,PRTE_MCA_plm_ssh_agent,HYDRA_LAUNCHER_EXEC}="$1"; }

# A pause without a process of its own.
exec {never}<> <(:)
nap() { read -rt "${1:-0.01}" -u "$never" || true; }

# until_true SECONDS COMMAND…: waits until the command succeeds.
until_true() {
  local -i tries=$(($1 * 20))
  shift
  until "$@" &>/dev/null; do
    ((tries-- > 0)) || return 1
    sleep 0.05
  done
}

# leaves_nothing: of an ended launch there are no processes, shared memory or files of Open MPI.
leaves_nothing() {
  local left
  left=$(processes_here | xargs -r ps -o pid=,stat=,args= -p)
  left+=$(find "$TMPDIR" -mindepth 1 ! -name 'ompi.*')
  until_true 3 no_unused_segments || left+=$(unused_segments)
  [[ -z $left ]] || problem "left behind: $left"
}

# unused_segments: shared memory that appeared during this test and that no process uses.
unused_segments() {
  local segment
  while read -r segment; do
    grep -qsF "$segment" /proc/[0-9]*/maps || echo "$segment"
  done < <(find /dev/shm -maxdepth 1 -name 'vader_segment.*' -newer "$launcher_start")
}
no_unused_segments() { [[ -z $(unused_segments) ]]; }
launcher_start=$directory/start
touch "$launcher_start"

# Two classes of digits, with this many training images each, and 4 to validate.
make_data() {
  mkdir -p all "$1"
  [[ -d all/train ]] || tar -xf "$repository/Sources/Datasets/Resources/mnist5k.tar.xz" -C all
  local class image split
  for class in 3 7; do
    for split in train val; do
      mkdir -p "$1/$split/$class"
      for image in $(find "all/$split/$class" -name '*.png' | sort \
        | head -n "$([[ $split == train ]] && echo "$2" || echo 4)"); do
        cp "$image" "$1/$split/$class"
      done
    done
  done
}

# A small network for them.
cat >small.yaml <<'END_OF_FILE'
model: {family: nf-resnet, blocks: [1, 1], width: 8, input_channels: 1}
method: {timesteps: 2}
training: {epochs: 1, global_batch: 12, log_every: 1}
data: {image_size: 16}
END_OF_FILE

# The last line of a test.
report() {
  ((failures == 0)) || {
    echo "$failures tests of the launcher failed"
    exit 1
  }
}
