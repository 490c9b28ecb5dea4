"""The claim that SLTT needs fewer multiplications than BPTT, and SLTT-K a number that does not depend on T:
those of the backward passes by the formula, as sltt-dist counts them, and counted in PyTorch while it
computes the gradients of an iteration."""

import math
import re

from memory import NETWORKS
from plot import line_plot
from study import Study, has_torch

TITLE = "Multiplications that SLTT and SLTT-K save"
PUBLISHED = (
    "SLTT takes fewer scalar multiplications than BPTT, and SLTT-K a number that depends on K and not on T."
)


def measure(arguments):
    width = 2 if arguments.short else 64
    study = Study("multiplications", arguments, {"width": width, "torch": has_torch()})
    tables, plots = {}, {}
    for name, (_, _, published_timesteps, *_) in NETWORKS.items():
        timesteps = 2 if arguments.short else published_timesteps
        shapes = study.measured(f"{name}, layers", lambda: layers(study, name))
        rows = []
        rules = ["bptt", "sltt", *range(timesteps - 1, 0, -1)]
        for rule in rules:
            convolutions, neurons = formula(shapes, rule, timesteps)
            by_inspect = study.measured(
                f"{name}, {rule}", lambda: by_program(study, name, rule, timesteps, shapes)
            )
            row = {
                "rule": shown(rule), "by the formula, dense layers": f"{convolutions:,}",
                "neurons": f"{neurons:,}",
                "of BPTT's": f"{share(shapes, rule, timesteps):.4f}",
                "sltt-dist, dense layers": f"{by_inspect:,}",
            }  # fmt: skip
            if study.plan["torch"]:
                found = study.measured(
                    f"{name}, {rule}, PyTorch", lambda: by_torch(study, name, rule, timesteps)
                )
                row |= {
                    "PyTorch, dense layers": f"{found['dense layers']:,}",
                    "PyTorch, neurons": f"{found['neurons']:,}",
                }
            rows.append(row)
        tables[f"{name}, T = {timesteps}: multiplications of an image's backward passes"] = rows
        slug = re.sub(r"\W+", "-", name.lower())
        plots[slug] = line_plot(
            f"{name}: multiplications of backward passes", "T", "times those of BPTT with T = 1",
            {
                shown(rule): [
                    (t, sum(formula(shapes, rule, t)) / sum(formula(shapes, "bptt", 1)))
                    for t in range(1 if rule in ("bptt", "sltt") else rule, 21)
                ]
                for rule in ("bptt", "sltt", 1, 2)
            },
        )  # fmt: skip
    study.write(TITLE, PUBLISHED, tables, plots, notes(study))


def shown(rule):
    return {"bptt": "BPTT", "sltt": "SLTT"}.get(rule, f"SLTT-{rule}")


def formula(shapes, rule, timesteps):
    """Multiplications of the backward passes of one image, in dense layers and in neurons.

    A time step that goes back takes those of the weights' gradients, of the inputs' gradients but that of
    the network's input, and two a neuron: the surrogate's slope, and its product with the gradient of the
    spike. BPTT passes a gradient on between two time steps, for two more a neuron: times -threshold for
    the reset, and times 1 - 1/tau for the leak."""
    steps = rule if isinstance(rule, int) else timesteps
    dense = steps * (2 * shapes["MACs"] - shapes["MACs of the first layer"])
    passed_on = timesteps - 1 if rule == "bptt" else 0
    return dense, 2 * (steps + passed_on) * shapes["neurons"]


def share(shapes, rule, timesteps):
    return sum(formula(shapes, rule, timesteps)) / sum(formula(shapes, "bptt", timesteps))


def settings_of(study, name):
    _, _, _, classes, channels, _ = NETWORKS[name]
    return {
        "model.width": study.plan["width"], "model.classes": classes, "model.input_channels": channels
    }  # fmt: skip


def layers(study, name):
    """Sums over the table of `inspect`: layer, kind, output, parameters, MACs, …"""
    recipe = NETWORKS[name][0]
    shown = study.sltt("inspect", "--config", recipe, settings=settings_of(study, name), threads=False)
    rows = [re.split(r"\s{2,}", line) for line in shown.split("\n\n")[1].splitlines()]
    macs, neurons = [], 0
    for row in rows:
        if len(row) >= 3 and "lif" in row[1]:
            neurons += math.prod(int(extent) for extent in row[2].split("x"))
        elif len(row) >= 5 and ("conv" in row[1] or row[1] == "linear"):
            macs.append(number(row[4]))
        elif row[0] == "total":
            total = number(row[2])
    if sum(macs) != total or neurons == 0:
        raise SystemExit(f"the table of inspect has changed: {rows[:3]} …")
    return {"MACs": total, "MACs of the first layer": macs[0], "neurons": neurons}


def number(text):
    return int(text.replace(",", ""))


def by_program(study, name, rule, timesteps, shapes):
    """What `inspect` counts of training, without the forward passes. It counts the gradient of the
    network's input as well, which nothing needs."""
    method = rule if isinstance(rule, str) else "sltt-k"
    settings = settings_of(study, name) | {"method.name": method, "method.timesteps": timesteps}
    if "DVS" in name:
        settings["data.frames"] = f"{{number: {timesteps}, split_by: number}}"
    if method == "sltt-k":
        settings["method.k"] = rule
    shown = study.sltt("inspect", "--config", NETWORKS[name][0], settings=settings, threads=False)
    line = next(line for line in shown.splitlines() if line.startswith(f"{method} "))
    steps = rule if isinstance(rule, int) else timesteps
    of_input = steps * shapes["MACs of the first layer"]
    return number(line.split()[-1]) - timesteps * shapes["MACs"] - of_input


def by_torch(study, name, rule, timesteps):
    from torch_counts import backward_multiplications

    recipe, _, _, classes, channels, _ = NETWORKS[name]
    method = rule if isinstance(rule, str) else "sltt-k"
    trained = range(rule if isinstance(rule, int) else timesteps)
    return backward_multiplications(
        recipe, study.plan["width"], classes, channels, method, timesteps, trained
    )


def notes(study):
    lines = [
        "The formula is derived from the rules as docs/rules has them; it counts an image, all layers as"
        " if dense. Neurons: two multiplications each where a time step goes back, and under BPTT two more"
        " between two time steps. Batch norm, which is the same for all rules, is left out.",
    ]
    if study.plan["torch"]:
        lines.append(
            "PyTorch's are counted while it computes: those of convolutions and linear layers by its"
            " FlopCounterMode, those of neurons as elements of products in their backward function."
        )
    else:
        lines.append("This Python has no torch, so nothing was counted in PyTorch.")
    if study.plan["width"] != 64:
        lines.append(f"Scaled: width {study.plan['width']} in place of 64.")
    return lines
