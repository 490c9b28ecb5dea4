# Sourced by sltt-launch: which hosts there are, which of them answer, and what a job has left on them.
# shellcheck shell=bash

# The hosts of the hostfile, each once, and those of them that answered the last visit.
host_names=() answering=()

# The command with which mpirun reaches other hosts.
agent=()

# How many ranks and nodes the next start has.
running_ranks=0 running_nodes=0

# Seconds within which a host has to answer.
readonly visit_limit=10

# read_hosts FILE DEFAULT: sets host_names, and cores to the slots of the smallest, by default DEFAULT.
read_hosts() {
  local name slots
  ! grep -q $'\r' <"$1" || fail "--hosts $1: has the line ends of Windows, with which mpirun finds no host:" \
    "sed -i 's/\r\$//' FILE removes them"
  while read -r name slots; do
    host_names+=("$name")
    ((${#host_names[@]} > 1 && slots >= cores)) || cores=$slots
  done < <(awk -v missing="$2" '
    { sub(/#.*/, "") }
    NF > 0 {
      slots = missing
      if ($1 ~ /^[^:]+:[0-9]+$/) { slots = $1; sub(/.*:/, "", slots); sub(/:.*/, "", $1) }
      for (i = 2; i <= NF; i++) if ($i ~ /^slots=[0-9]+$/) slots = substr($i, 7)
      if (!($1 in total)) names[++hosts] = $1
      total[$1] += slots
    }
    END { for (i = 1; i <= hosts; i++) print names[i], total[names[i]] }' <"$1")
}

# As mpirun does, which starts no agent for the host that it runs on.
is_this_host() {
  local name=$1 address
  [[ $name == localhost || $name == "$HOSTNAME" || $name == "${HOSTNAME%%.*}" ]] && return
  address=$(getent hosts "$name" | awk '{ print $1; exit }')
  [[ $address == 127.* || $address == ::1 || " $(hostname -I 2>/dev/null) " == *" ${address:-$name} "* ]]
}

# visit_hosts: cleans this host and every other one up after the last job, all at the same time, and sets
# answering.
visit_hosts() {
  local host job order
  local -A visits=()
  local -a visitor=("${agent[@]}")
  [[ ${agent[0]-} != ?(*/)ssh ]] || visitor+=(-x -o BatchMode=yes)
  job=$(last_job)
  # In letters that every login shell takes, csh among them.
  order=$(base64 -w 0 <<<"$(declare -f clean_host list_daemons remove_traces); clean_host '$launch_id' '$job'")
  for host in "${host_names[@]}"; do
    ! is_this_host "$host" || continue
    timeout --kill-after=1 "$visit_limit" "${visitor[@]}" "$host" "echo $order | base64 -d | bash" \
      </dev/null >/dev/null 2>"$scratch/visit-$host" &
    visits[$host]=$!
  done
  clean_host "$launch_id" "$job" || true
  answering=()
  for host in "${host_names[@]}"; do
    if [[ -z ${visits[$host]-} ]] || await "${visits[$host]}"; then answering+=("$host"); fi
  done
}

# silent_hosts: the others.
silent_hosts() {
  local host
  for host in "${host_names[@]}"; do
    [[ " ${answering[*]} " == *" $host "* ]] || echo "$host"
  done
}

# Takes the hosts that answered, if they suffice for enough ranks, or else waits for the others.
reach_hosts() {
  local -i deadline=$((SECONDS + host_wait)) possible
  local silent told=false
  running_ranks=$ranks running_nodes=$nodes
  plan_mpirun "$ranks" "${host_names[@]}"
  if $is_dry_run || ((${#host_names[@]} < 2)); then return; fi
  while
    silent=$(silent_hosts | paste -sd ' ')
    possible=$((ranks_per_node * ${#answering[@]}))
    ((possible < min_ranks))
  do
    ((SECONDS < deadline)) || end_without_hosts "$silent" "$possible"
    $told || say "waiting for $silent to answer, for up to $host_wait s"
    told=true
    pause 5
    visit_hosts
    ! is_stopping || stop_here
  done
  [[ -n $silent ]] || return 0
  running_ranks=$((possible < ranks ? possible : ranks)) running_nodes=${#answering[@]}
  say "without $silent, which did not answer: $(count "$running_ranks" rank)" \
    "on $(count "$running_nodes" node)"
  plan_mpirun "$running_ranks" "${answering[@]}"
}

end_without_hosts() {
  local host
  printf 'error: no answer from %s within %s s: %s of %s ranks are left, too few for --min-ranks %s\n' \
    "$1" "$host_wait" "$2" "$ranks" "$min_ranks" >&2
  for host in $1; do sed "s/^/  $host: /" "$scratch/visit-$host" >&2; done
  exit "$((job_status == 0 ? 1 : job_status))"
}

# clean_host LAUNCH JOB: ends what is left of the launch on this host, and removes the traces of its last
# job. Usually nothing is left; but mpirun or its daemon, when killed, leave stopped ranks.
clean_host() {
  local launch=$1 job=$2 file attempt
  local -a left=()
  # shellcheck disable=SC2013  # paths without spaces
  for file in $(grep -lzxF "SLTT_LAUNCH_ID=$launch" /proc/[0-9]*/environ 2>/dev/null); do
    left+=("${file%/*}")
  done
  # shellcheck disable=SC2207  # paths without spaces
  left+=($(list_daemons "$job" "${left[@]}"))
  kill -KILL "${left[@]#/proc/}" 2>/dev/null
  for ((attempt = 0; attempt < 30; attempt++)); do
    grep -qs "^State:.[^ZX]" "${left[@]/%//status}" /dev/null || break
    sleep 0.1
  done
  remove_traces "$job"
}
