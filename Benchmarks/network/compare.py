"""Compares training with distributed.overlap and distributed.wire on simulated networks: two ranks of
this machine, whose collectives take the time that they would take on a network of many (see
simulated_network.c). All settings take turns, so that they meet the same machine. Prints medians, and
ratios to training without either option.

    python compare.py resnet18 --sizes 8,4 8,1 --gigabits 1 10 25

A size is the images of a rank and the time steps. With --check, it compares the all-reduces of
sltt-dist bench allreduce with the formula instead. Needs mpicc, mpirun, two cores and a release build
of sltt-dist.
"""

import functools
import itertools
import json
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from common import REPOSITORY, Measurements, comparison_parser, machine, run  # noqa: E402

# Of each network: a published configuration, and what differs from it. Images have 32x32 or 64x64 pixels.
NETWORKS = {
    "resnet18": ("cifar10-resnet18.yaml", {"model.classes": 10}),
    "vgg11": ("cifar10-resnet18.yaml", {"model.architecture": "vgg11", "model.classes": 10}),
    "nf-resnet34": (
        "imagenet-nf-resnet34-stage1.yaml", {"model.classes": 1000, "data.image_size": 64},
    ),
}  # fmt: skip
METHODS = {
    "sltt": {"method.name": "sltt"},
    "sltt-1": {"method.name": "sltt-k", "method.k": 1},
}
OPTIONS = {
    "plain": {},
    "overlap": {"distributed.overlap": "true"},
    "bfloat16": {"distributed.wire": "bfloat16"},
    "both": {"distributed.overlap": "true", "distributed.wire": "bfloat16"},
}
# Gradients travel in chunks of so many floats.
CHUNK = 400_000
RANKS = 2


def main():
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as scratch:
        library = pathlib.Path(scratch) / "simulated_network.so"
        run(["mpicc", "-O2", "-shared", "-fPIC", "-o", library, HERE / "simulated_network.c"])
        if arguments.check:
            check(arguments, library)
        else:
            compare(arguments, library)


def parse_arguments():
    parser = comparison_parser(__doc__.split("\n\n")[0])
    parser.add_argument("network", choices=list(NETWORKS), nargs="?", default="resnet18")
    parser.add_argument("--method", choices=list(METHODS), default="sltt")
    parser.add_argument("--sizes", nargs="+", default=["8,4"], metavar="IMAGES,STEPS")
    parser.add_argument("--settings", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--gigabits", type=float, nargs="+", default=[1, 10, 25])
    parser.add_argument("--latency", type=float, default=20, help="of a message, in microseconds")
    parser.add_argument("--ranks", type=int, default=8, help="that the network has")
    parser.add_argument(
        "--wait", choices=["sleep", "spin"], default="sleep",
        help="spin: as Open MPI does, so that the thread that sends takes time from a core",
    )  # fmt: skip
    parser.add_argument("--iterations", type=int, default=5, help="in a turn")
    parser.add_argument("--check", action="store_true")
    return parser.parse_args()


def launcher(arguments, library, gigabits):
    """mpirun without the number of ranks."""
    command = ["mpirun", "--oversubscribe", "--bind-to", "none"]
    variables = {
        "LD_PRELOAD": library,
        "NETWORK_GIGABITS": gigabits,
        "NETWORK_LATENCY": arguments.latency,
        "NETWORK_RANKS": arguments.ranks,
        "NETWORK_WAIT": arguments.wait,
    }
    for name, value in variables.items():
        command += ["-x", f"{name}={value}"]
    return command


def compare(arguments, library):
    print(f"{arguments.network}, {arguments.method}; {machine()}")
    print(f"{arguments.ranks} ranks, latency {arguments.latency:g} us, waiting: {arguments.wait}")
    cases = list(itertools.product(arguments.sizes, arguments.gigabits))
    programs = {
        label(size, gigabits, name): functools.partial(
            iteration, arguments, library, size, gigabits, OPTIONS[name]
        )
        for (size, gigabits), name in itertools.product(cases, OPTIONS)
    }
    measurements = Measurements(programs, arguments.rounds)
    print(f"\nms an iteration, medians of {arguments.rounds} rounds (least), against plain:")
    print("images  steps  Gbit/s  options    iteration            ratio  communication  hidden")
    for size, gigabits in cases:
        images, steps = size.split(",")
        plain = measurements.median(label(size, gigabits, "plain"), "iteration")
        for name in OPTIONS:
            program = label(size, gigabits, name)
            median = functools.partial(measurements.median, program)
            least = min(measurements.values(program, "iteration"))
            print(
                f"{images:>6}  {steps:>5}  {gigabits:6g}  {name:9}  "
                f"{median('iteration'):7.1f} ({least:7.1f})  {median('iteration') / plain:7.3f}  "
                f"{median('communication'):13.1f}  {median('hidden'):6.1f}"
            )


def label(size, gigabits, name):
    return f"{size} {gigabits:g} {name}"


def iteration(arguments, library, size, gigabits, options):
    """Milliseconds of an iteration, of the collectives in it, and of those behind the backward pass."""
    file, facts = NETWORKS[arguments.network]
    images, steps = size.split(",")
    settings = facts | METHODS[arguments.method] | options
    settings |= {"training.global_batch": images, "method.timesteps": steps}
    settings |= dict(setting.split("=", 1) for setting in arguments.settings)
    with tempfile.TemporaryDirectory() as output:
        command = [arguments.program, "bench", "scaling", "--config", REPOSITORY / "configs" / file]
        for key, value in settings.items():
            command += ["--set", f"{key}={value}"]
        command += ["--ranks", RANKS, "--modes", "weak", "--rounds", 1, "--threads", 1]
        command += ["--iterations", arguments.iterations, "--output", output]
        command += ["--mpirun", " ".join(launcher(arguments, library, gigabits))]
        run(command)
        report = json.loads((pathlib.Path(output) / "scaling.json").read_text())
    measured = report["series"][0]["measurements"][0]
    return {
        "iteration": 1e3 * measured["iteration_seconds"],
        "communication": 1e3 * measured["communication_seconds"],
        "hidden": 1e3 * measured["hidden_seconds"],
    }


def check(arguments, library):
    print("MiB     Gbit/s  all-reduce            ms  by the formula  ratio")
    for gigabits in arguments.gigabits:
        with tempfile.TemporaryDirectory() as output:
            command = launcher(arguments, library, gigabits) + ["-n", RANKS, arguments.program]
            command += ["bench", "allreduce", "--largest", 16, "--chunks", CHUNK]
            run(command + ["--rounds", arguments.rounds, "--output", output])
            report = json.loads((pathlib.Path(output) / "allreduce.json").read_text())
        for row in report["rows"]:
            size = row["bytes"]
            chunks = -(-size // (4 * CHUNK))
            expected = {
                "plain": (row["plain_seconds"], size, 1),
                "in chunks": (row["chunked_seconds"][0], size, chunks),
                "of bfloat16": (row["rounded_seconds"][0], size / 2, chunks),
            }
            for name, (seconds, sent, parts) in expected.items():
                formula = all_reduce_seconds(arguments, gigabits, sent, parts)
                print(
                    f"{size / 2**20:6.3f}  {gigabits:6g}  {name:12}  {1e3 * seconds:10.3f}  "
                    f"{1e3 * formula:14.3f}  {seconds / formula:5.3f}"
                )


def all_reduce_seconds(arguments, gigabits, sent, parts):
    """Of so many bytes in so many parts."""
    others = arguments.ranks - 1
    bandwidth = gigabits * 1e9 / 8
    return 2 * others * (
        sent / arguments.ranks / bandwidth + parts * arguments.latency * 1e-6
    )  # fmt: skip


if __name__ == "__main__":
    main()
