# Sourced by sltt-launch: which nodes and cores there are, and how the ranks are spread over them.
# shellcheck shell=bash

# Cores, not hardware threads, since ranks are bound to cores.
threads_per_core() {
  local cpus cores
  cpus=$(lscpu -p=cpu | grep -vc '^#')
  cores=$(lscpu -p=core,socket | grep -v '^#' | sort -u | wc -l)
  echo $((cpus > cores ? cpus / cores : 1))
}

# slurm_counts_cores: whether SLURM's CPUs are whole cores here, though these have several hardware threads.
slurm_counts_cores() {
  local node
  node=$(scontrol --oneliner show node "${SLURMD_NODENAME:-$HOSTNAME}" 2>/dev/null) || return 1
  number_of() { [[ $node =~ (^| )$1=([0-9]+) ]] && echo "${BASH_REMATCH[2]}" || echo 0; }
  (($(number_of CPUTot) > 0 && $(number_of CPUTot) <= $(number_of Sockets) * $(number_of CoresPerSocket)))
}

# Sets nodes and cores, those of the smallest node.
survey_nodes() {
  local per_core
  per_core=$(threads_per_core)
  cores=$(limit_by_quota $(($(count_cpus) / per_core)))
  nodes=1 nodes_text="this machine"
  : "${hosts:=$default_hostfile}"
  if [[ -n $hosts ]]; then
    read_hosts "$hosts" "$cores"
    nodes=${#host_names[@]} nodes_text="$hosts"
    ((nodes > 0)) || fail "--hosts $hosts: it names no host; write a line HOST slots=CORES for each"
    find_agent
  elif [[ -n ${SLURM_JOB_ID-} ]]; then
    nodes=${SLURM_JOB_NUM_NODES:-${SLURM_NNODES:-1}}
    nodes_text="SLURM job $SLURM_JOB_ID"
    ! slurm_counts_cores || per_core=1
    # A number for each kind of node, as in 64(x3),32.
    cores=$(tr ',' '\n' <<<"${SLURM_JOB_CPUS_PER_NODE:-${SLURM_CPUS_ON_NODE:-$((cores * per_core))}}" \
      | sed 's/(.*//' | sort -n | head -n 1)
    cores=$((cores / per_core))
    ((ranks <= ${SLURM_NTASKS:-$ranks})) || fail "$nodes_text has $SLURM_NTASKS tasks, too few" \
      "slots for $ranks ranks: submit it with --ntasks=$ranks"
  fi
  ((cores > 0)) || cores=1
}

# Sets ranks_per_node and threads.
plan_ranks() {
  ranks_per_node=$(((ranks + nodes - 1) / nodes))
  ((nodes <= ranks)) || fail "$ranks ranks leave some of the $nodes nodes of $nodes_text without work:" \
    "raise --ranks to $nodes or more, or take fewer nodes"
  local -i busy=$(((ranks + ranks_per_node - 1) / ranks_per_node))
  ((busy == nodes)) || fail "$ranks ranks, $ranks_per_node on a node, leave $((nodes - busy)) of the $nodes" \
    "nodes of $nodes_text without work: give --ranks $((nodes * (ranks_per_node - 1))) or" \
    "$((nodes * ranks_per_node)), or take $busy nodes"
  if [[ -z $threads ]]; then
    threads=$((cores / ranks_per_node))
    ((threads > 0)) || threads=1
  fi
  if ((ranks_per_node * threads > cores)) && ! $is_oversubscribed; then
    fail "too few slots: $(count "$ranks_per_node" rank) x $(count "$threads" thread) on a node" \
      "need $(count $((ranks_per_node * threads)) core), and $nodes_text has $cores for each node.
Lower --ranks or --threads, take more nodes with --hosts, or, only to try it out, --oversubscribe."
  fi
}
