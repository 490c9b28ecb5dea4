"""Training on simulated networks: traces, platforms, and the runs of SimGrid's SMPI over them."""

import dataclasses
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent

# Of an Ethernet frame, in bytes: preamble, header, checksum and gap; IP's header and TCP's, with the time
# stamps that Linux sends.
FRAME = 8 + 14 + 4 + 12
HEADERS = 20 + 20 + 12
# Open MPI sends so many bytes at once over TCP. A longer message sends its head, waits until the receiver
# has answered, and sends the rest: three times the latency, and not before both are ready.
EAGER = 65536
LONG_MESSAGE_LATENCIES = 3
# Of TCP, in bytes: the largest socket buffer of Linux (net.ipv4.tcp_wmem).
WINDOW = 4 << 20
LEAF = 32


@dataclasses.dataclass(frozen=True)
class Network:
    """Nodes joined by a full-bisection fat tree of two levels, or by one switch."""

    gigabits: float
    # Seconds of a message one way between nodes at different leaf switches; half of it at one.
    latency: float
    mtu: int = 1500
    ranks_per_node: int = 1
    # Within a node: bytes a second.
    memory_bandwidth: float = 10e9
    memory_latency: float = 0.5e-6
    # One switch, all messages with the full latency.
    is_star: bool = False

    @property
    def payload(self):
        """Of the bytes on the wire, those of the program."""
        return (self.mtu - HEADERS) / (self.mtu + FRAME)

    def platform(self, ranks, processes_per_rank):
        nodes = -(-ranks // self.ranks_per_node)
        # A link in each direction for every node; a message passes two, or four of the tree.
        latency = self.latency / (2 if self.is_star else 4)
        if self.is_star or nodes <= LEAF:
            topology = ""
        else:
            leaves = -(-nodes // LEAF)
            topology = (
                f'topology="FAT_TREE" topo_parameters="2;{LEAF},{leaves};1,{LEAF};1,1"'
            )
            nodes = leaves * LEAF
        return f"""<?xml version="1.0"?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <cluster id="cluster" prefix="node" suffix="" radical="0-{nodes - 1}" speed="1Gf"
    core="{self.ranks_per_node * processes_per_rank}" bw="{self.gigabits * 1e9 / 8}Bps"
    lat="{latency}s" loopback_bw="{self.memory_bandwidth / self.payload}Bps"
    loopback_lat="{self.memory_latency}s" {topology}/>
</platform>
"""

    def hosts(self, ranks, processes_per_rank):
        """Of all processes, those that compute first. Neighbouring ranks share a node."""
        return [f"node{rank // self.ranks_per_node}" for rank in range(ranks)] * processes_per_rank

    def options(self):
        return {
            "smpi/bw-factor": f"0:{self.payload}",
            "smpi/lat-factor": f"0:1;{EAGER + 1}:{LONG_MESSAGE_LATENCIES}",
            "smpi/async-small-thresh": EAGER,
            "smpi/send-is-detached-thresh": EAGER,
            "network/TCP-gamma": WINDOW,
            # Acknowledgements travel with the data that go the other way.
            "network/crosstraffic": 0,
        }


class Trace:
    """What sltt-dist bench scaling --trace wrote."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.facts = {}
        self.ranks = self.ended = 0
        self.is_overlapped = False
        # Seconds in which a rank alone is busy, of each iteration of each rank.
        self.busy = []
        seconds = 0
        try:
            lines = self.path.read_text().splitlines()
        except OSError as error:
            sys.exit(f"{path}: {error.strerror}; sltt-dist bench scaling --trace writes traces")
        except UnicodeDecodeError:
            sys.exit(f"{path}: is no text, and so no trace")
        for number, line in enumerate(lines, 1):
            words = line.split()
            if len(words) < 2:
                continue
            try:
                seconds = self.read(words, seconds)
            except (ValueError, IndexError):
                sys.exit(f"{path}:{number}: not known: {line}")
        self.require_whole()

    def read(self, words, seconds):
        """A line; takes and returns the seconds of the iteration so far."""
        if words[0] == "#":
            if words[1] == "iteration":
                self.busy.append(seconds)
                return 0
            self.facts[words[1]] = " ".join(words[2:])
        elif words[1] == "init":
            self.ranks += 1
            return 0
        elif words[1] == "finalize":
            self.ended += 1
        elif words[1] == "compute":
            return seconds + float(words[2]) * 1e-9
        elif words[1] == "sleep":
            return seconds + float(words[2])
        elif words[1] == "post":
            self.is_overlapped = True
        return seconds

    def require_whole(self):
        """A part of a trace would forecast something else."""
        if not self.busy:
            sys.exit(
                f"{self.path}: no iteration ends in it; sltt-dist bench scaling --trace writes it"
            )
        ranks = int(self.facts.get("ranks", self.ranks))
        iterations = ranks * int(self.facts.get("iterations", len(self.busy) // max(1, ranks)))
        if not self.ranks == self.ended == ranks or len(self.busy) != iterations:
            sys.exit(
                f"{self.path}: is not whole: {self.ended} of {ranks} ranks and {len(self.busy)} of"
                f" {iterations} iterations end in it; copy or make it again"
            )

    @property
    def batch(self):
        """Samples of a rank."""
        if "batch" not in self.facts:
            sys.exit(f"{self.path}: has no line '# batch SAMPLES'")
        return int(self.facts["batch"])

    @property
    def seconds(self):
        """Of an iteration of a rank alone."""
        return statistics.mean(self.busy)


@dataclasses.dataclass(frozen=True)
class Case:
    """What is simulated, beside the network."""

    ranks: int
    iterations: int
    repeats: int = 2
    seed: int = 1
    has_noise: bool = True
    slow_rank: float = 1
    compute: float = 1
    # Seconds of an addition of two numbers.
    addition: float = 0
    # Open MPI's own choice, or the name of one of SMPI's: `smpirun --cfg=smpi/allreduce:?` lists them.
    algorithm: str = "ompi"


class Simulator:
    """Compiles the replayer, and runs it."""

    def __init__(self):
        if not shutil.which("smpirun"):
            sys.exit("smpirun is missing: apt install libsimgrid-dev")
        self.directory = tempfile.TemporaryDirectory()
        self.scratch = pathlib.Path(self.directory.name)
        self.program = self.scratch / "replay"
        self.seconds = 0
        source = HERE / "replay.cpp"
        self.call(["smpicxx", "-std=gnu++17", "-O2", "-o", self.program, source])

    def run(self, trace, network, case):
        """Seconds of each iteration, and of computing in one, as a mean over the ranks."""
        processes = 2 if trace.is_overlapped else 1
        platform, hosts = self.scratch / "platform.xml", self.scratch / "hosts"
        platform.write_text(network.platform(case.ranks, processes))
        hosts.write_text("\n".join(network.hosts(case.ranks, processes)) + "\n")
        options = network.options() | {
            # Of the replayer itself.
            "smpi/simulate-computation": "no",
            "contexts/factory": "raw",
            # With the default of 1e-5, SimGrid 3.32 crashes with 4,096 ranks; results are the same.
            "maxmin/precision": "1e-3",
            "smpi/allreduce": case.algorithm,
            "smpi/alltoall": "ompi",
            "smpi/allgather": "ompi",
            "smpi/reduce_scatter": "ompi",
        }
        command = ["smpirun", "-no-privatize", "-np", case.ranks * processes]
        command += ["-platform", platform, "-hostfile", hosts, "--log=root.thresh:critical"]
        command += [f"--cfg={key}:{value}" for key, value in options.items()]
        command += [self.program, trace.path.resolve(), case.ranks, case.iterations, case.repeats]
        command += [case.seed, int(case.has_noise), case.slow_rank, case.compute, case.addition]
        start = time.monotonic()
        output = self.call(command)
        self.seconds = time.monotonic() - start
        numbers = [float(line) for line in output.splitlines() if re.fullmatch(r"[\d.]+", line)]
        if len(numbers) != case.iterations + 2:
            sys.exit(f"{case} ended early:\n{output}")
        *ends, busy = numbers
        return [after - before for before, after in zip(ends, ends[1:])], busy

    def call(self, command):
        command = [str(word) for word in command]
        result = subprocess.run(command, capture_output=True, text=True, cwd=self.scratch)
        if result.returncode != 0:
            output = result.stdout + result.stderr
            sys.exit(f"status {result.returncode} from {' '.join(command)}:\n{output}")
        return result.stdout
