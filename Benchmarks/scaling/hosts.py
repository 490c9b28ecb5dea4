"""Hosts that this machine plays: name spaces joined by the switch of switch.c, on which mpirun starts
ranks. Needs root, iproute2 and /dev/net/tun."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
NAME_SPACES = ["unshare", "--net", "--uts", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]
INSIDE = "SLTT_SCALING_IS_INSIDE"
SUBNET = "10.99.0"


def enter_name_spaces():
    """Runs this program anew in name spaces of its own, with which everything in them vanishes. A signal
    that ends this program ends that one first, which removes what it made."""
    if os.environ.get(INSIDE):
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
        run("mount", "-t", "tmpfs", "tmpfs", "/dev/shm")
        run("ip", "link", "set", "lo", "up")
        return
    for tool in ("unshare", "ip", "tc", "nsenter", "mpirun", "cc"):
        if not shutil.which(tool):
            sys.exit(f"skipped: {tool} is missing")
    if not os.access("/dev/net/tun", os.W_OK) or subprocess.run([*NAME_SPACES, "true"]).returncode:
        sys.exit("skipped: this user cannot make networks (root and /dev/net/tun are needed)")
    os.environ[INSIDE] = "1"
    parent = subprocess.Popen([*NAME_SPACES, sys.executable, *sys.argv])

    def end(number, _):
        # unshare itself ignores signals while it waits.
        subprocess.run(["pkill", "-TERM", "-P", str(parent.pid)])

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    sys.exit(parent.wait())


class Hosts:
    """A head, from which mpirun starts, and as many hosts as there are to be ranks."""

    def __init__(self, scratch, count, megabits, latency, mtu):
        """`latency` in microseconds, one way."""
        self.scratch = pathlib.Path(scratch)
        self.processes = []
        self.names = [f"host{number}" for number in range(1, count + 1)]
        switch, sleep = self.scratch / "switch", self.scratch / "yield.so"
        if not switch.exists():
            run("cc", "-O2", "-o", switch, HERE / "switch.c")
            run("cc", "-O2", "-shared", "-fPIC", "-o", sleep, HERE / "yield.c")
        ports = ["head", *self.names]
        addresses = [f"{SUBNET}.{port + 1} {name}" for port, name in enumerate(ports)]
        names = self.scratch / "names"
        names.write_text("127.0.0.1 localhost\n" + "\n".join(addresses) + "\n")
        run("mount", "--bind", names, "/etc/hosts")
        self.start(switch, len(ports), megabits, latency, stdout=subprocess.PIPE).stdout.readline()
        agent = 'while [[ $1 == -* ]]; do shift; done\ncase $1 in\n'
        for port, name in enumerate(ports):
            device, setup = f"port{port}", self.setup(port, name, megabits, mtu)
            run("ip", "link", "set", device, "address", f"02:00:00:00:00:{port:02x}", "mtu", mtu)
            if port == 0:
                run("bash", "-ec", setup.replace("eth0", device))
                continue
            process = self.host(name)
            run("ip", "link", "set", device, "netns", process, "name", "eth0")
            run("nsenter", "-t", process, "-n", "-u", "-m", "-p", "bash", "-ec", setup)
            agent += f"{name}) process={process};;\n"
        agent += f"esac\nexport TMPDIR={self.scratch}/$1\n"
        agent += 'exec nsenter -t $process -n -u -m -p --wd="$PWD" -- bash -c "${*:2}"\n'
        self.agent = self.scratch / "agent"
        self.agent.write_text("#!/usr/bin/env bash\n" + agent)
        self.agent.chmod(0o755)
        self.file = self.scratch / "hostfile"
        self.file.write_text("".join(f"{name} slots=1\n" for name in self.names))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()
        run("umount", "/etc/hosts")

    def mpirun(self):
        """Without the number of ranks."""
        options = {
            "plm_rsh_agent": self.agent,
            "btl": "tcp,self",
            "btl_tcp_if_include": "eth0",
            "mpi_yield_when_idle": 1,
        }
        command = ["mpirun", "--hostfile", self.file, "--map-by", "node", "--bind-to", "none"]
        for name, value in options.items():
            command += ["--mca", name, value]
        return [str(word) for word in command + ["-x", f"LD_PRELOAD={self.scratch}/yield.so"]]

    def setup(self, port, name, megabits, mtu):
        (self.scratch / name).mkdir(exist_ok=True)
        # Frames queue in the host's own queue, not in the switch: so the kernel limits what a connection
        # has in it, as above a network card. The switch counts more bytes of a frame.
        bits = int(1e6 * megabits * (mtu + 14) / (mtu + 38))
        return f"""
          ip link set lo up
          ip address add {SUBNET}.{port + 1}/24 dev eth0
          ip link set eth0 up txqueuelen 10000
          tc qdisc add dev eth0 root tbf rate {bits}bit burst {3 * mtu} limit {256 << 20}
          echo reno >/proc/sys/net/ipv4/tcp_congestion_control
        """

    def host(self, name):
        """The process that holds a host's name spaces."""
        ready = self.scratch / f"{name}.ready"
        ready.unlink(missing_ok=True)
        shell = f"hostname {name}; mount -t tmpfs tmpfs /dev/shm; touch {ready}; exec sleep infinity"
        parent = self.start(*NAME_SPACES, "bash", "-c", shell)
        while not ready.exists():
            time.sleep(0.01)
        return run("pgrep", "-P", parent.pid).strip()

    def start(self, *command, **options):
        words = [str(word) for word in command]
        self.processes.append(subprocess.Popen(words, stdin=subprocess.DEVNULL, **options))
        return self.processes[-1]


def run(*command):
    words = [str(word) for word in command]
    result = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if result.returncode != 0:
        sys.exit(f"status {result.returncode} from {' '.join(words)}:\n{result.stdout}{result.stderr}")
    return result.stdout
