#!/usr/bin/env python3
"""Makes the reference results that training is tested against, or checks those that are there.

    make_fixtures.py --check FILE|DIRECTORY...
    make_fixtures.py --out DIRECTORY [--case NAME]... [--method METHOD]... [--seed N]

--check computes the results of each file anew from the file's inputs, and prints the largest
difference, as a share of the largest entry of its tensor. It ends with status 1 where a result
differs, or a file is damaged. --out makes new files, of all cases and their methods unless some are
named. README.md describes the files.
"""

import argparse
import json
import math
import sys
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from case import Case
from cases import CASES
from inputs import Tensors, draw_inputs, frames_of, prefixed, with_floats_in
from methods import METHODS, Iteration, iterate
from networks import build, float_tensors

TOLERANCE = 1e-9
"""The largest relative difference that --check allows, beside what storing float32 makes. Rounding
in float64 makes up to 1e-11."""
SMALLEST_MARGIN = 1e-5
"""How far every neuron has to keep from where its spikes or gradients change, in new files. In
float32, potentials are off by about 1e-6: the same neurons fire."""
LOWEST_RATE = 0.01
"""How often every layer has to fire, in new files: from one that does not, nothing is seen."""
MOST_SEEDS = 1000
"""How many seeds are tried for such results."""


def is_input(name: str) -> bool:
    """Whether a file's tensor is what results are computed from."""
    return name.split(".")[0] in ("frames", "labels", "param", "buffer_before")


def network_with(case: Case, inputs: Tensors) -> nn.Module:
    """The case's network with the inputs' parameters and running statistics.

    Raises RuntimeError where names or shapes differ.
    """
    network = build(case)
    counters = {name: t for name, t in network.named_buffers() if not t.is_floating_point()}
    stored = {
        name.removeprefix("param.").removeprefix("buffer_before."): tensor
        for name, tensor in inputs.items()
        if name not in ("frames", "labels")
    }
    network.load_state_dict(stored | counters)
    return network


def results(case: Case, inputs: Tensors) -> tuple[Tensors, list[Iteration]]:
    """What the inputs give: the results, named as in a file, and the two iterations."""
    if not {"frames", "labels"} <= inputs.keys():
        raise ValueError("frames or labels are missing")
    network = network_with(case, inputs)
    frames, labels = frames_of(inputs, case), inputs["labels"]
    optimizer = torch.optim.SGD(
        network.parameters(), lr=case.sgd.lr, momentum=case.sgd.momentum,
        weight_decay=case.sgd.weight_decay)

    first = iterate(network, frames, labels, case)
    gradients = float_tensors(
        (name, p.grad) for name, p in network.named_parameters() if p.grad is not None)
    statistics = float_tensors(network.named_buffers())
    optimizer.step()
    second = iterate(network, frames, labels, case)
    optimizer.step()
    tensors = (
        {
            "logits": first.logits,
            "loss": torch.tensor(first.loss, dtype=torch.float64),
            "firing_rate": torch.tensor(first.firing_rate, dtype=torch.float64),
        }
        | prefixed("grad.", gradients)
        | prefixed("buffer_after.", statistics)
        | prefixed("param_after_2_sgd_steps.", float_tensors(network.named_parameters())))
    return tensors, [first, second]


def relative_difference(name: str, actual: Tensors, expected: Tensors) -> float:
    """The largest difference of a tensor, as a share of its largest entry.

    A bias before batch norm has no gradient but rounding errors. So no tensor's largest entry
    counts for less than a thousandth of the largest entry of all tensors of its kind.
    """
    if torch.equal(actual[name], expected[name]):
        return 0.0
    if actual[name].shape != expected[name].shape:
        return math.inf
    kind = name.split(".")[0]
    largest = max(t.abs().max() for n, t in expected.items() if n.split(".")[0] == kind)
    scale = torch.maximum(expected[name].abs().max(), largest / 1000)
    difference = (actual[name] - expected[name]).abs().max() / scale
    return float(difference.nan_to_num(nan=math.inf, posinf=math.inf))


def check(path: Path) -> str:
    """Computes a file's results anew, and says by how much they differ.

    Raises ValueError, RuntimeError, SafetensorError or OSError where the file does not hold.
    """
    with safe_open(path, "pt") as file:
        metadata = file.metadata() or {}
        stored = {name: file.get_tensor(name) for name in file.keys()}
    if "config" not in metadata:
        raise ValueError("holds no reference results: there is no `config` in its metadata")
    case, stated_margin, stated_rate = Case.of_metadata(json.loads(metadata["config"]))
    exact = with_floats_in(torch.float64, stored)
    inputs = {name: tensor for name, tensor in exact.items() if is_input(name)}
    expected = {name: tensor for name, tensor in exact.items() if not is_input(name)}
    actual, iterations = results(case, inputs)
    if actual.keys() != expected.keys():
        names = ", ".join(sorted(actual.keys() ^ expected.keys()))
        raise ValueError(f"tensors are missing or unknown: {names}")
    difference, name = max((relative_difference(n, actual, expected), n) for n in expected)
    tolerance = TOLERANCE + torch.finfo(stored[name].dtype).eps
    if difference > tolerance:
        raise ValueError(f"{name} differs by {difference:.1e}, more than {tolerance:.1e}")
    margin = min(iteration.margin for iteration in iterations)
    if not margin >= stated_margin - TOLERANCE:
        raise ValueError(
            f"a neuron comes within {margin:.3e} of its threshold; the metadata say"
            f" {stated_margin:.3e}")
    quietest_layer = iterations[0].quietest_layer
    if abs(quietest_layer - stated_rate) > TOLERANCE:
        raise ValueError(
            f"the quietest layer's firing rate is {quietest_layer:.3e}; the metadata say"
            f" {stated_rate:.3e}")
    where = f" in {name}" if difference > 0 else ""
    return f"margin {margin:.1e}, differs by {difference:.1e}{where}"


def check_all(paths: list[Path]) -> bool:
    """Prints a line for each file; whether all hold."""
    files = [
        file
        for path in paths
        for file in (sorted(path.glob("*.safetensors")) if path.is_dir() else [path])
    ]
    failures = 0 if files else 1
    if not files:
        print(f"no *.safetensors in {', '.join(map(str, paths))}", file=sys.stderr)
    for file in files:
        try:
            print(f"{file.name:40} {check(file)}", flush=True)
        except (ValueError, RuntimeError, SafetensorError, OSError) as error:
            failures += 1
            print(f"{file.name}: {error}", file=sys.stderr, flush=True)
    return failures == 0


def is_safe(iteration: Iteration) -> bool:
    """Whether float32 gives the same spikes, and all layers have some."""
    return iteration.clearance >= SMALLEST_MARGIN and iteration.quietest_layer >= LOWEST_RATE


def make(cases: list[Case], first_seed: int, directory: Path) -> None:
    """Writes files of a case's methods, from the first seed that is safe with all of them."""
    name = cases[0].case
    for seed in range(first_seed, first_seed + MOST_SEEDS):
        inputs = draw_inputs(cases[0], seed)
        computed = [results(case, inputs) for case in cases]
        if all(is_safe(iteration) for _, both in computed for iteration in both):
            break
    else:
        sys.exit(
            f"{name}: with {MOST_SEEDS} seeds from {first_seed} on, a neuron came closer to its"
            f" threshold than {SMALLEST_MARGIN}, or a layer fired less than {LOWEST_RATE}; try"
            " others, or make the case smaller")
    for case, (tensors, both) in zip(cases, computed):
        path = directory / f"{name}.{case.method}.safetensors"
        margin = min(iteration.clearance for iteration in both)
        metadata = {"config": json.dumps(case.metadata(seed, margin, both[0].quietest_layer))}
        stored = with_floats_in(torch.float32, inputs | tensors)
        save_file({n: t.contiguous() for n, t in stored.items()}, path, metadata)
        print(
            f"{path}: seed {seed}, margin {margin:.1e}, loss {tensors['loss']:.4f},"
            f" firing rate {tensors['firing_rate']:.3f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--check", nargs="+", type=Path, metavar="PATH", help="files to check")
    what.add_argument("--out", type=Path, metavar="DIRECTORY", help="where new files go")
    parser.add_argument("--case", action="append", choices=list(CASES), help="of new files")
    parser.add_argument("--method", action="append", choices=list(METHODS), help="of new files")
    parser.add_argument("--seed", type=int, default=1, help="the first one tried for new files (1)")
    arguments = parser.parse_args()
    if arguments.check and (arguments.case or arguments.method):
        parser.error("--check takes files, no --case or --method")
    # The order of sums, and so the last bits, depend on the number of threads.
    torch.set_num_threads(1)
    if arguments.check:
        sys.exit(0 if check_all(arguments.check) else 1)
    chosen = [
        [case for case in CASES[name] if case.method in (arguments.method or METHODS)]
        for name in arguments.case or CASES
    ]
    if not any(chosen):
        parser.error("the cases do not have this method; README.md says which have")
    arguments.out.mkdir(parents=True, exist_ok=True)
    for cases in filter(None, chosen):
        make(cases, arguments.seed, arguments.out)


if __name__ == "__main__":
    main()
