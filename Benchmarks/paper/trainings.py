"""Trainings that `accuracy` and `sltt-k` share: small networks by sltt-dist's `compare`, each rule and seed
from the same weights on the same samples in the same order."""

import json
import statistics

from study import QUIET, TRAINING, VALIDATION, samples_a_class

OFF = "{flip: false, shift: 0, roll: 0}"
CROP_FLIP_COVER = "[random_crop: {padding: 4}, random_horizontal_flip, gray_cutout]"


def plan(arguments):
    """9 images a class of CIFAR-10 for each minute, which gives all of them with 556 minutes, and 4
    recordings of N-MNIST; 5 seeds from 20 minutes, else 3. The same budget for `accuracy` and `sltt-k` is
    that of both together."""
    if arguments.short:
        return {
            "seeds": [1, 2], "epochs": 2, "width": 2, "blocks": [1],
            "samples a class": {"cifar10": 8, "nmnist": 8}, "validation samples a class": 4,
            "timesteps": {"cifar10": 3, "nmnist": 4}, "batch": {"cifar10": 8, "nmnist": 8},
            "threads": arguments.threads,
        }  # fmt: skip
    samples = {
        "cifar10": min(5000, max(30, int(9 * arguments.budget))),
        "nmnist": min(6000, max(20, int(4 * arguments.budget))),
    }
    return {
        "seeds": [1, 2, 3, 4, 5] if arguments.budget >= 20 else [1, 2, 3], "epochs": 6,
        "width": 16, "blocks": [1, 1, 1], "samples a class": samples,
        "validation samples a class": 200, "timesteps": {"cifar10": 4, "nmnist": 10},
        "batch": {"cifar10": 50, "nmnist": 25}, "threads": arguments.threads,
    }  # fmt: skip


def settings_of(study, data):
    """Those of the recipes, but for the network."""
    counts = {
        TRAINING: study.plan["samples a class"][data],
        VALIDATION: study.plan["validation samples a class"],
    }
    epochs = study.plan["epochs"]
    common = QUIET | {
        "data.path": study.subset(data, counts),
        "method.timesteps": study.plan["timesteps"][data],
        "training.epochs": epochs, "training.global_batch": study.plan["batch"][data],
        # To compare the losses of the first iterations with another implementation's.
        "training.log_every": 1,
        "training.validate_every": epochs, "checkpoint.every_epochs": epochs,
    }  # fmt: skip
    if data == "cifar10":
        return common | {
            "model.family": "resnet", "model.blocks": study.plan["blocks"],
            "model.width": study.plan["width"], "optimizer.weight_decay": 5e-5,
            "data.image_size": 32, "data.augmentation": CROP_FLIP_COVER,
            "data.normalization": "cifar10",
        }  # fmt: skip
    return common | {
        "model.architecture": "vgg11", "model.width": max(1, study.plan["width"] // 2),
        "loss.mse_target": "one-hot", "optimizer.learning_rate": 0.05,
        "optimizer.weight_decay": 5e-4, "data.image_size": 34, "data.event_augmentation": OFF,
    }  # fmt: skip


def runs_folder(study, data):
    """Both claims share it, so all that the figures depend on is in its name."""
    counts = f"{study.plan['samples a class'][data]}-{len(study.plan['seeds'])}-seeds"
    counts += f"-{study.plan['threads']}-threads"
    return study.output / "runs" / f"{data}-{counts}"


def trained(study, data, methods, ks=()):
    """What `compare` reports of each rule, by its name there, with runs in the order of the seeds."""
    arguments = ["compare", "--methods", ",".join(methods), "--output", runs_folder(study, data)]
    arguments += ["--seeds", ",".join(map(str, study.plan["seeds"]))]
    if ks:
        arguments += ["--vary", "method.k=" + ",".join(map(str, ks))]
    names = [name_of(method, k) for method in methods for k in ks or [None]]

    def measure():
        study.sltt(*arguments, settings=settings_of(study, data))
        report = json.loads((runs_folder(study, data) / "comparison.json").read_text())
        found = {one["name"]: one["runs"] for one in report["contestants"]}
        return {
            name: sorted(
                (run for run in found[name] if run["seed"] in study.plan["seeds"]),
                key=lambda run: run["seed"],
            )
            for name in names
        }

    return study.measured(f"{data}, {', '.join(names)}", measure)


def name_of(method, k=None):
    return method if k is None else f"{method},method.k={k}"


def shown(name):
    """A rule as people call it."""
    method, _, k = name.partition(",method.k=")
    return {"sltt": "SLTT", "bptt": "BPTT"}.get(method, f"SLTT-{k}")


def accuracies(runs):
    return [run["accuracy"] for run in runs]


def percent(values):
    """Mean and deviation, in percent."""
    return f"{100 * statistics.mean(values):.2f} ± {100 * statistics.stdev(values):.2f}"


def difference_row(first, second, test):
    """A row of a table about `paired(…)` of accuracies."""
    return {
        "compared": f"{first} - {second}",
        "mean difference, %": f"{100 * test['mean']:+.2f} ± {100 * test['deviation']:.2f}",
        "95 % interval": f"{100 * test['low']:+.2f} to {100 * test['high']:+.2f}",
        "p, paired t": f"{test['p']:.2f}", "p, signs": f"{test['p of signs']:.2f}",
    }  # fmt: skip


def notes(study):
    plan = study.plan
    training, validation = samples_a_class(settings_of(study, "cifar10")["data.path"])
    return [
        f"Scaled: CIFAR-10 with {training} of 5,000 images a class for training,"
        f" {validation} of 1,000 for validation, {plan['epochs']} epochs of 200;"
        f" a ResNet of blocks {plan['blocks']} and width {plan['width']} in place of ResNet-18 and 64;"
        f" T = {plan['timesteps']['cifar10']} in place of 6.",
        f"Runs of a seed begin with the same weights, and see the same samples in the same order."
        f" Seeds {', '.join(map(str, plan['seeds']))}; accuracies in percent, mean ± deviation over them,"
        " after the last epoch.",
        "The tests are of differences at the same seed. With n seeds the test of signs gives no p below"
        " 2 / 2^n; that neither test tells rules apart shows only that they differ by less than the interval.",
    ]
