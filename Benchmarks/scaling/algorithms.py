"""Compares algorithms of the all-reduce on simulated networks, for chunks of the gradient as training sends
them: Open MPI's own choice, recursive doubling, Rabenseifner's, ring, and ring in segments.

    python algorithms.py --ranks 2 8 32 128 512 --gigabits 10 25 100

Prints microseconds of a chunk, and what is faster than Open MPI's choice by more than 5 %.
"""

import argparse
import math
import sys

from smpi import Case, Network, Simulator, Trace

# By SMPI's name, with how often a rank adds up a chunk on n ranks.
ALGORITHMS = {
    "ompi": ("Open MPI's", lambda n: (n - 1) / n),
    "rdb": ("recursive doubling", math.log2),
    "rab_rdb": ("Rabenseifner", lambda n: (n - 1) / n),
    "lr": ("ring", lambda n: (n - 1) / n),
    "ompi_ring_segmented": ("segmented ring", lambda n: (n - 1) / n),
}
RINGS = ("lr", "ompi_ring_segmented")
NOTABLE = 0.05


def main():
    arguments = parse_arguments()
    simulator = Simulator()
    better = []
    print("Gb/s  floats   ranks" + "".join(f"{name:>20}" for name, _ in ALGORITHMS.values()))
    for gigabits in arguments.gigabits:
        for floats in arguments.chunks:
            trace = chunk_trace(simulator.scratch / "chunk", floats)
            for ranks in arguments.ranks:
                times = {
                    algorithm: seconds(arguments, simulator, trace, gigabits, ranks, algorithm)
                    for algorithm in ALGORITHMS
                    if algorithm not in RINGS or ranks <= arguments.most_in_ring
                }
                print(
                    f"{gigabits:4g}  {floats:7}  {ranks:5}"
                    + "".join(
                        f"{1e6 * times[name]:20.0f}" if name in times else f"{'-':>20}"
                        for name in ALGORITHMS
                    ),
                    flush=True,
                )
                best = min(times, key=times.get)
                gain = 1 - times[best] / times["ompi"]
                if gain > NOTABLE:
                    better.append(
                        f"{gigabits:g} Gb/s, {floats} floats, {ranks} ranks: "
                        f"{ALGORITHMS[best][0]} by {100 * gain:.0f} %"
                    )
    print("\nfaster than Open MPI's by more than 5 %:")
    print("\n".join(better) if better else "none")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--ranks", type=int, nargs="+", default=[2, 4, 8, 16, 32, 64, 128, 256])
    parser.add_argument("--gigabits", type=float, nargs="+", default=[10, 25, 100])
    parser.add_argument("--chunks", type=int, nargs="+", default=[200_000, 400_000, 800_000])
    parser.add_argument("--latency", type=float, default=20, help="microseconds one way")
    parser.add_argument("--ranks-per-node", type=int, default=1)
    parser.add_argument(
        "--most-in-ring", type=int, default=256,
        help="ranks; a ring sends 2 n (n - 1) messages, of which SMPI simulates some 10,000 a second",
    )  # fmt: skip
    parser.add_argument("--addition", type=float, default=0.3, help="nanoseconds a number")
    arguments = parser.parse_args()
    if min(arguments.ranks) < 2:
        parser.error("--ranks: at least 2")
    return arguments


def chunk_trace(path, floats):
    """An all-reduce by itself: an iteration that nobody computes in."""
    reduction = f"0 allreduce {floats} {floats} 5"
    path.write_text(f"# batch 1\n0 init\n{reduction}\n# iteration\n0 finalize\n")
    return Trace(path)


def seconds(arguments, simulator, trace, gigabits, ranks, algorithm):
    network = Network(
        gigabits=gigabits, latency=1e-6 * arguments.latency, ranks_per_node=arguments.ranks_per_node
    )
    addition = 1e-9 * arguments.addition * ALGORITHMS[algorithm][1](ranks)
    case = Case(ranks=ranks, iterations=2, addition=addition, algorithm=algorithm)
    return simulator.run(trace, network, case)[0][-1]


if __name__ == "__main__":
    sys.exit(main())
