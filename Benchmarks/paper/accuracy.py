"""The claim that SLTT is as accurate as BPTT: small networks by SLTT, SLTT-K and BPTT, and by PyTorch from
the same weights on the same samples."""

import itertools
import json
import sys

from common import REPOSITORY, run
from paired import paired
from study import Study, has_torch, training_samples
from trainings import (
    accuracies, difference_row, name_of, notes, percent, plan, runs_folder, settings_of, shown, trained,
)  # fmt: skip

TITLE = "Accuracy of SLTT beside BPTT"
PUBLISHED = (
    "accuracies of SLTT and BPTT in percent: CIFAR-10 94.44 and 94.60, ImageNet 66.19 and 66.47."
)
# Of each data set: K of SLTT-K, and what PyTorch trains as well.
WORKS = {"cifar10": (2, ["sltt", "bptt"]), "nmnist": (2, ["sltt"])}
# Iterations whose losses are compared: later ones differ, because rounding is amplified.
FIRST = 5


def measure(arguments):
    study = Study("accuracy", arguments, plan(arguments) | {"torch": has_torch()})
    rows, differences = [], []
    for data, (k, references) in WORKS.items():
        if arguments.short:
            references = references[:1]
        if not study.plan["torch"]:
            references = []
        runs = trained(study, data, ["bptt", "sltt"])
        runs |= trained(study, data, ["sltt-k"], [k])
        runs = {shown(name): found for name, found in runs.items()}
        pairs = [("SLTT", "BPTT"), (f"SLTT-{k}", "BPTT"), (f"SLTT-{k}", "SLTT")]
        # Rules in turn within a seed.
        for seed, rule in itertools.product(study.plan["seeds"], references):
            reference = study.measured(
                f"{data}, {rule}, seed {seed}, PyTorch", lambda: by_torch(study, data, rule, seed)
            )
            runs.setdefault(f"{shown(rule)}, PyTorch", []).append(reference)
        pairs += [(shown(rule), f"{shown(rule)}, PyTorch") for rule in references]
        pairs += [("SLTT, PyTorch", "BPTT, PyTorch")] if "bptt" in references else []
        for name, found in runs.items():
            losses = [one["loss differences"] for one in found if "loss differences" in one]
            first, last = (max(lost[i] for lost in losses) if losses else None for i in (0, -1))
            rows.append(
                {
                    "data": data, "rule": name, "accuracy, %": percent(accuracies(found)),
                    "by seed": ", ".join(f"{100 * value:.1f}" for value in accuracies(found)),
                    "first loss beside sltt-dist's": f"{first:.0e}" if losses else "",
                    f"loss {FIRST}": f"{last:.0e}" if losses else "",
                }
            )  # fmt: skip
        differences += [
            {"data": data}
            | difference_row(first, second, paired(accuracies(runs[first]), accuracies(runs[second])))
            for first, second in pairs
        ]
    study.write(
        TITLE, PUBLISHED, {"Accuracy": rows, "Differences at the same seed": differences}, {},
        [*notes(study), *own_notes(study)],
    )  # fmt: skip


def by_torch(study, data, rule, seed):
    """The same training in PyTorch."""
    folder = runs_folder(study, data)
    initial = initial_weights(study, data, seed)
    ours = folder / name_of(rule) / f"seed-{seed}"
    arguments = ["--config", ours / "config.yaml", "--weights", initial, "--threads", study.arguments.threads]
    script = "Benchmarks/paper/torch_training.py"
    study.note("python", script, *arguments)
    found = json.loads(run([sys.executable, REPOSITORY / script, *arguments]))
    records = map(json.loads, (ours / "metrics.jsonl").read_text().splitlines())
    losses = [record["train_loss"] for record in records if record["kind"] == "interval"]
    pairs = list(zip(found.pop("losses"), losses, strict=True))[:FIRST]
    found["loss differences"] = [abs(a - b) / b for a, b in pairs]
    return found


def initial_weights(study, data, seed):
    """Those with which sltt-dist begins: an iteration at a learning rate that changes no bit leaves them."""
    output = study.output / "runs" / f"initial-{data}-{seed}"
    if not (output / "checkpoints/latest").exists():
        settings = settings_of(study, data) | {
            "training.seed": seed, "training.max_iterations": 1,
            "optimizer.learning_rate": 1e-30, "optimizer.weight_decay": 0,
        }  # fmt: skip
        study.sltt("train", "--output", output, "--resume", "auto", settings=settings)
    return output / "checkpoints/latest/model.safetensors"


def own_notes(study):
    recordings = training_samples(settings_of(study, "nmnist")["data.path"])
    lines = [
        f"N-MNIST ({recordings} training recordings, T ="
        f" {study.plan['timesteps']['nmnist']}, a VGG-11 of width {max(1, study.plan['width'] // 2)}) stands"
        " for the paper's sets of events.",
    ]
    if study.plan["torch"]:
        lines.append(
            "PyTorch trains the same network from the same initial weights, on the same samples in the same"
            " order with the same augmentation. The table has the largest difference of a seed's first and"
            f" {FIRST}th loss, as a share: training amplifies rounding."
        )
    else:
        lines.append("This Python has no torch, so PyTorch's reference was left out.")
    return lines
