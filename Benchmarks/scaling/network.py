"""Holds the simulation to account: ranks of Open MPI on hosts that this machine plays, on networks of
given bandwidth and latency, against what simulate.py's model says of them beforehand. Ranks sleep in
place of computing, so that they do not compete for cores.

    python network.py --ranks 2 4 8 --gigabits 1 10 --latencies 50 1000

With --dilation 10, the network is ten times as slow and computing ten times as long, and times are
divided by ten: the processor then has ten times the time for what it does in place of network cards.
Needs root, /dev/net/tun, iproute2, Open MPI, libsimgrid-dev and a release build of sltt-dist.
"""

import argparse
import json
import os
import pathlib
import statistics
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from common import REPOSITORY, machine, run  # noqa: E402
from hosts import Hosts, enter_name_spaces  # noqa: E402
from smpi import Case, Network, Simulator, Trace  # noqa: E402


def main():
    arguments = parse_arguments()
    enter_name_spaces()
    os.environ |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    print(f"{machine()}; MTU {arguments.mtu}, dilation {arguments.dilation:g}")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        measure(arguments, scratch, 2, ["mpirun", "--oversubscribe"], trace=scratch / "trace")
        trace = calm_trace(scratch / "trace", arguments.compute * arguments.dilation)
        simulator = Simulator()
        print("ranks  Gbit/s  latency, us  predicted, ms  measured, ms (least to most)  deviation")
        failures = 0
        for ranks in arguments.ranks:
            for gigabits in arguments.gigabits:
                for latency in arguments.latencies:
                    failures += case(arguments, scratch, simulator, trace, ranks, gigabits, latency)
    if failures:
        sys.exit(f"{failures} deviate by more than {arguments.within:g} %")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--ranks", type=int, nargs="+", default=[2, 4, 8])
    parser.add_argument("--gigabits", type=float, nargs="+", default=[1, 10])
    parser.add_argument("--latencies", type=float, nargs="+", default=[50, 1000])
    parser.add_argument("--compute", type=float, default=0.2, help="seconds of an iteration")
    parser.add_argument("--iterations", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dilation", type=float, default=1)
    parser.add_argument("--mtu", type=int, default=9000)
    parser.add_argument("--settings", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--addition", type=float, default=0.3, help="nanoseconds a number")
    parser.add_argument("--within", type=float, metavar="PERCENT", help="fail where one deviates more")
    parser.add_argument("--program", default=str(REPOSITORY / ".build/release/sltt-dist"))
    return parser.parse_args()


def case(arguments, scratch, simulator, trace, ranks, gigabits, latency):
    """Whether the prediction failed."""
    slow = arguments.dilation
    network = Network(
        gigabits=gigabits / slow, latency=1e-6 * latency * slow, mtu=arguments.mtu, is_star=True
    )
    work = Case(ranks=ranks, iterations=3, repeats=99, addition=1e-9 * arguments.addition)
    predicted = statistics.median(simulator.run(trace, network, work)[0])
    with Hosts(scratch, ranks, 1e3 * gigabits / slow, latency * slow, arguments.mtu) as hosts:
        measured = [
            measure(arguments, scratch, ranks, hosts.mpirun()) for _ in range(arguments.rounds)
        ]
    median = statistics.median(measured)
    deviation = predicted / median - 1
    scale = 1e3 / slow
    print(
        f"{ranks:5}  {gigabits:6g}  {latency:11g}  {scale * predicted:13.1f}  {scale * median:12.1f} "
        f"({scale * min(measured):7.1f} to {scale * max(measured):7.1f})  {100 * deviation:+9.1f} %",
        flush=True,
    )
    return arguments.within is not None and abs(deviation) > arguments.within / 100


def calm_trace(path, seconds):
    """Of one iteration, in which all ranks compute for so long: sleeping ranks may wake late when a trace
    is written on busy cores."""
    first = path.read_text().split("# iteration\n")[0]
    measured = Trace(path)
    factor = seconds / measured.busy[0]
    lines = []
    for line in first.splitlines():
        words = line.split()
        if words[1:2] == ["compute"]:
            line = f"0 compute {float(words[2]) * factor}"
        lines.append(line)
    lines += ["# iteration", "0 finalize"]
    # The ranks say into how many parts chunks are divided.
    lines += [f"{rank} {word}" for rank in range(1, measured.ranks) for word in ("init", "finalize")]
    path.write_text("\n".join(lines) + "\n")
    return Trace(path)


def measure(arguments, scratch, ranks, mpirun, trace=None):
    """Seconds of an iteration."""
    output = scratch / "measured"
    settings = {"training.global_batch": "8", "model.classes": "10", "method.timesteps": "1"}
    settings |= dict(setting.split("=", 1) for setting in arguments.settings)
    command = [arguments.program, "bench", "scaling"]
    command += ["--config", REPOSITORY / "configs/cifar10-resnet18.yaml"]
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    command += ["--ranks", ranks, "--modes", "weak", "--rounds", 1, "--threads", 1]
    command += ["--iterations", arguments.iterations, "--output", output]
    command += ["--synthetic-compute", arguments.compute * arguments.dilation]
    command += ["--mpirun", " ".join(mpirun)]
    if trace:
        command += ["--trace", trace]
    run(command)
    report = json.loads((output / "scaling.json").read_text())
    return report["series"][0]["measurements"][0]["iteration_seconds"]


if __name__ == "__main__":
    main()
