# Sourced by tests that want several hosts: each is a process in name spaces of its own (network, host
# name, mounts, processes) on a bridge, all within those of the test, with which they vanish. The host
# that the launcher runs on is called head.
# shellcheck shell=bash

# enter_name_spaces PROGRAM…: runs the script anew in name spaces of its own, or skips it where the user
# may not have any.
enter_name_spaces() {
  [[ -z ${SLTT_TEST_IS_INSIDE-} ]] || return 0
  local -a inside=(unshare --net --uts --mount --pid --fork --mount-proc --kill-child)
  if ! "${inside[@]}" bash -c "ip link add name bridge0 type bridge \
    && ip link add name a type veth peer name b" 2>/dev/null; then
    echo "skipped: $(basename "$0") (this user cannot make networks, or there is no ip of iproute2)"
    exit 0
  fi
  SLTT_TEST_IS_INSIDE=1 exec "${inside[@]}" "$0" "$@"
}

# make_hosts NAME…: and the program agent in place of ssh, which reaches them as long as their link is up;
# otherwise it fails, or hangs if there is a file connections-hang. If there is a file connections-end, it
# ends with a link, as ssh does that asks for signs of life.
make_hosts() {
  hostname head
  mount -t tmpfs tmpfs /dev/shm
  ip link set lo up
  ip link add name bridge0 type bridge
  ip address add 10.99.0.1/24 dev bridge0
  ip link set bridge0 up
  printf '127.0.0.1 localhost\n10.99.0.1 head\n' >names
  mount --bind names /etc/hosts
  local name number=1
  for name in "$@"; do
    number=$((number + 1))
    echo "10.99.0.$number $name" >>names
    mkdir -p "hosts/$name"
    unshare --net --uts --mount --pid --fork --mount-proc --kill-child bash -c "
      hostname $name
      mount -t tmpfs tmpfs /dev/shm
      ip link set lo up
      touch hosts/$name.up
      exec sleep infinity" </dev/null &>/dev/null &
    until_true 5 test -e "hosts/$name.up"
    pgrep -P $! >"hosts/$name.process"
    ip link add "to-$name" type veth peer name eth0 netns "$(<"hosts/$name.process")"
    ip link set "to-$name" master bridge0 up
    on_host "$name" "ip address add 10.99.0.$number/24 dev eth0 && ip link set eth0 up"
  done
  cat >agent <<END_OF_FILE
#!/usr/bin/env bash
while [[ \$1 == -* ]]; do shift; done
is_up() { ip -brief link show "to-\$1" | grep -q UP; }
if ! is_up "\$1"; then
  [[ ! -e $directory/connections-hang ]] || exec sleep 600
  echo "ssh: connect to host \$1 port 22: No route to host" >&2
  exit 255
fi
export TMPDIR=$directory/hosts/\$1
nsenter -t "\$(<"$directory/hosts/\$1.process")" -n -u -m -p --wd="\$PWD" -- bash -c "\${*:2}" &
while kill -0 \$! 2>/dev/null; do
  [[ ! -e $directory/connections-end ]] || is_up "\$1" || exit 255
  sleep 0.05
done
wait \$!
END_OF_FILE
  chmod +x agent
  reach_hosts_by "$directory/agent"
  # The hosts have one kernel, so MPICH would take them for one host.
  export UCX_TLS=tcp,self
  printf '%s slots=1\n' "$@" >hostfile
}

# on_host NAME COMMAND: also when its link is down.
on_host() { nsenter -t "$(<"hosts/$1.process")" -n -u -m -p -- bash -c "$2"; }

# notice_soon: so Open MPI does that a host is cut off.
notice_soon() {
  export {OMPI,PRTE}_MCA_oob_tcp_keepalive_time=3 {OMPI,PRTE}_MCA_oob_tcp_keepalive_intvl=1 \
    {OMPI,PRTE}_MCA_oob_tcp_keepalive_probes=3
}

cut_off() { ip link set "to-$1" down; }
reconnect() { ip link set "to-$1" up; }

# limit MEGABITS NAME…: a second, of what comes to these hosts; 0 takes the limit off.
limit() {
  local name
  for name in "${@:2}"; do
    if (($1)); then
      tc qdisc replace dev "to-$name" root tbf rate "$1mbit" burst 64kb limit 16mb
    else
      tc qdisc del dev "to-$name" root
    fi
  done
}

# host_is_clean NAME: nothing of the job is left there.
host_is_clean() {
  ! on_host "$1" "ps -eo stat=,comm=; ls /dev/shm" \
    | grep -E "^[^Z]+ (orted|prted|hydra_pmi_proxy|$(basename "$program"))|^vader_segment"
}
