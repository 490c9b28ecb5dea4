"""Forecasts training on thousands of ranks from a trace of two: simulates them on fat trees with
SimGrid's SMPI, and says where efficiency falls, and why.

    sltt-dist bench scaling --config F.yaml --ranks 2 --modes weak --trace trace.txt
    python simulate.py trace.txt --gigabits 10 25 100 --ranks 8 64 512 4096 --output forecast

Weak scaling: every rank has the batch of the trace. Strong scaling (--strong GLOBAL_BATCH): all ranks
share out a batch; computing comes from the trace whose batch is nearest (give several), and is scaled
by what remains. Writes forecast.txt, .csv, .svg and .json, which sltt-dist bench scaling --check compares
with what it measures. Needs Debian's libsimgrid-dev; no MPI, no cores.
"""

import argparse
import csv
import dataclasses
import json
import math
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from plot import line_plot  # noqa: E402
from smpi import HEADERS, Case, Network, Simulator, Trace  # noqa: E402

THRESHOLD = 0.9


@dataclasses.dataclass
class Row:
    gigabits: float
    ranks: int
    # Of a rank.
    batch: float
    # Medians over the seeds; of the efficiency also the least and the most.
    iteration: float
    efficiency: float
    least: float
    most: float
    # What of an iteration would be gone without: latency; finite bandwidth; additions; differences
    # between ranks.
    latency: float
    bandwidth: float
    addition: float
    stragglers: float
    # Of an iteration: computing, all of the exchange, and waiting for stragglers; means over the ranks.
    compute: float
    communication: float
    wait: float
    # That the simulation took.
    simulated: float

    @property
    def cause(self):
        causes = ["latency", "bandwidth", "addition", "stragglers"]
        return max(causes, key=lambda cause: getattr(self, cause))


def main():
    arguments = parse_arguments()
    traces = [Trace(path) for path in arguments.traces]
    require_one_network(traces)
    simulator = Simulator()
    rows = []
    try:
        for gigabits in arguments.gigabits:
            for ranks in arguments.ranks:
                rows.append(row(arguments, simulator, traces, gigabits, ranks))
                shown = f"{gigabits:g} Gb/s, {ranks} ranks: {rows[-1].simulated:.1f} s"
                print(shown, file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        sys.exit("stopped")
    finally:
        # Also of a call that was stopped, or that a later case has ended.
        if rows:
            finish(arguments, traces, rows)


def finish(arguments, traces, rows):
    report = text(arguments, traces, rows)
    print(report, end="")
    if arguments.output:
        write(arguments.output, report, rows)
        predictions = [prediction(arguments, traces[0], row) for row in rows]
        pathlib.Path(f"{arguments.output}.json").write_text(json.dumps(predictions, indent=2) + "\n")


def require_one_network(traces):
    """Batches may differ, and nothing else."""
    for fact in ("network", "reduced_bytes", "wire", "shard", "overlap", "threads"):
        first, *others = [trace.facts.get(fact) for trace in traces]
        for trace, other in zip(traces[1:], others):
            if other != first:
                sys.exit(f"{trace.path}: {fact} is {other}, but {first} in {traces[0].path}")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("traces", nargs="+", metavar="TRACE")
    parser.add_argument("--ranks", type=int, nargs="+", default=[8, 32, 128, 512, 2048])
    parser.add_argument("--gigabits", type=float, nargs="+", default=[10, 25, 100])
    parser.add_argument(
        "--latency", type=float, default=20, help="microseconds one way, between leaf switches"
    )
    parser.add_argument("--mtu", type=int, default=1500)
    parser.add_argument("--ranks-per-node", type=int, default=2, help="1 per socket, say")
    parser.add_argument("--strong", type=int, metavar="GLOBAL_BATCH")
    parser.add_argument("--slow-rank", type=float, default=1, metavar="FACTOR")
    parser.add_argument("--algorithm", default="ompi", help="of the all-reduce, by SMPI's names")
    parser.add_argument("--iterations", type=int, default=3, help="for each seed")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=2, help="simulated of chunks that are alike")
    parser.add_argument(
        "--addition", type=float, default=0.3, help="nanoseconds of adding up a number"
    )
    parser.add_argument("--output", metavar="NAME", help="writes NAME.txt, .csv, .svg and .json")
    arguments = parser.parse_args()
    require_positive(parser, arguments)
    folder = pathlib.Path(arguments.output or ".").parent
    if not folder.is_dir():
        parser.error(f"--output {arguments.output}: {folder} is no directory")
    if arguments.strong and max(arguments.ranks) > arguments.strong:
        parser.error(f"--strong {arguments.strong}: there are ranks without a sample")
    return arguments


def require_positive(parser, arguments):
    for option in (
        "ranks", "gigabits", "mtu", "ranks_per_node", "strong", "slow_rank", "iterations", "seeds",
        "repeats",
    ):  # fmt: skip
        values = getattr(arguments, option)
        values = values if isinstance(values, list) else [1 if values is None else values]
        if not all(0 < value < math.inf for value in values):
            parser.error(f"--{option.replace('_', '-')}: must be above 0")
    for option in ("latency", "addition"):
        if not 0 <= getattr(arguments, option) < math.inf:
            parser.error(f"--{option}: must not be below 0")
    if arguments.mtu <= HEADERS:
        parser.error(f"--mtu: must be above {HEADERS}, the bytes of headers")


def row(arguments, simulator, traces, gigabits, ranks):
    trace, batch, compute, ideal = work(arguments, traces, ranks)
    network = Network(
        gigabits=gigabits, latency=1e-6 * arguments.latency, mtu=arguments.mtu,
        ranks_per_node=arguments.ranks_per_node,
    )  # fmt: skip
    case = Case(
        ranks=ranks, iterations=arguments.iterations, repeats=arguments.repeats, compute=compute,
        slow_rank=arguments.slow_rank, addition=1e-9 * arguments.addition,
        algorithm=arguments.algorithm,
    )  # fmt: skip
    simulated = 0

    def run(network, case):
        nonlocal simulated
        times, busy = simulator.run(trace, network, case)
        simulated += simulator.seconds
        return statistics.mean(times), busy

    def mean(network, case):
        return run(network, case)[0]

    # What was drawn counts as alone: that a few iterations were long or short is no matter of efficiency.
    seeds = range(1, arguments.seeds + 1)
    runs = [run(network, dataclasses.replace(case, seed=seed)) for seed in seeds]
    iteration, busy = sorted(runs, key=lambda run: run[0] / run[1])[len(runs) // 2]
    efficiencies = sorted(ideal * busy / seconds for seconds, busy in runs)
    # Stragglers first: latency and the others hide behind them.
    calm = dataclasses.replace(case, has_noise=False, slow_rank=1)
    even, even_busy = run(network, calm)
    without_latency = dataclasses.replace(network, latency=1e-9, memory_latency=1e-9)
    without_limit = dataclasses.replace(network, gigabits=1e6, memory_bandwidth=1e15)
    free = dataclasses.replace(without_latency, gigabits=1e6, memory_bandwidth=1e15)
    communication = even - mean(free, dataclasses.replace(calm, addition=0))
    return Row(
        gigabits=gigabits, ranks=ranks, batch=batch, iteration=iteration,
        efficiency=statistics.median(efficiencies), least=efficiencies[0], most=efficiencies[-1],
        latency=even - mean(without_latency, calm), bandwidth=even - mean(without_limit, calm),
        addition=even - mean(network, dataclasses.replace(calm, addition=0)),
        stragglers=iteration - busy - (even - even_busy), compute=busy, communication=communication,
        wait=max(0, iteration - busy - communication), simulated=simulated,
    )  # fmt: skip


def work(arguments, traces, ranks):
    """Trace, batch of a rank, factor of computing, and by how much less a rank alone would compute for its
    part of the batch if it were as fast as in the first trace."""
    first = traces[0]
    if not arguments.strong:
        return first, first.batch, 1, 1
    batch = -(-arguments.strong // ranks)
    trace = min(traces, key=lambda trace: abs(trace.batch - batch))
    compute = batch / trace.batch
    ideal = first.seconds * arguments.strong / ranks / first.batch
    return trace, batch, compute, ideal / (trace.seconds * compute)


def text(arguments, traces, rows):
    kind = f"strong scaling, batch {arguments.strong}" if arguments.strong else "weak scaling"
    lines = [f"{trace.path.name}: " + facts(trace) for trace in traces]
    lines += [
        f"{kind}; {arguments.ranks_per_node} ranks a node, latency {arguments.latency:g} us, MTU "
        f"{arguments.mtu}, all-reduce {arguments.algorithm}, slowest rank {arguments.slow_rank:g}; "
        f"{arguments.seeds} seeds of {arguments.iterations} iterations",
        "",
        "Gb/s   ranks  batch  iteration  efficiency (least to most)       latency  bandwidth  "
        "additions  stragglers",
    ]
    for row in rows:
        shares = [row.latency, row.bandwidth, row.addition, row.stragglers]
        lines.append(
            f"{row.gigabits:4g}  {row.ranks:6}  {row.batch:5g}  {1e3 * row.iteration:6.1f} ms  "
            f"{100 * row.efficiency:7.1f} % ({100 * row.least:5.1f} to {100 * row.most:5.1f} %)"
            + "".join(f"{100 * share / row.iteration:9.1f} %" for share in shares)
        )
    lines.append("")
    for gigabits in arguments.gigabits:
        below = [row for row in rows if row.gigabits == gigabits and row.efficiency < THRESHOLD]
        lines.append(
            f"{gigabits:g} Gb/s: "
            + (
                f"below {100 * THRESHOLD:.0f} % from {below[0].ranks} ranks on, by {below[0].cause}"
                if below
                else f"{100 * THRESHOLD:.0f} % or more with all numbers of ranks"
            )
        )
    return "\n".join(lines) + "\n"


def prediction(arguments, trace, row):
    """As sltt-dist reads it."""
    return {
        "platform": f"{row.gigabits:g} Gb/s",
        "mode": "strong" if arguments.strong else "weak",
        "ranks": row.ranks,
        "reduced_bytes": int(trace.facts.get("reduced_bytes", 0)),
        "wire": trace.facts.get("wire", "float32"),
        "compute_seconds": row.compute,
        "communication_seconds": row.communication,
        "wait_seconds": row.wait,
    }


def facts(trace):
    return (
        f"{trace.facts.get('network', '')}; batch {trace.batch}, {1e3 * trace.seconds:.1f} ms an "
        f"iteration alone (least {1e3 * min(trace.busy):.1f}, most {1e3 * max(trace.busy):.1f}); "
        f"{len(trace.busy)} iterations of {trace.ranks} ranks"
        + (", overlap" if trace.is_overlapped else "")
    )


def write(name, report, rows):
    pathlib.Path(f"{name}.txt").write_text(report)
    with open(f"{name}.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(field.name for field in dataclasses.fields(Row))
        table.writerows(dataclasses.astuple(row) for row in rows)
    series = {}
    for row in rows:
        point = (row.ranks, 100 * row.efficiency, 100 * row.least, 100 * row.most)
        series.setdefault(f"{row.gigabits:g} Gb/s", []).append(point)
    plot = line_plot("Simulated scaling", "ranks", "efficiency, %", series, is_even=True)
    pathlib.Path(f"{name}.svg").write_text(plot)


if __name__ == "__main__":
    main()
