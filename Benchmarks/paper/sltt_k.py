"""The claim that SLTT-K trades time for accuracy: both, for K = 1 … T."""

import statistics

from paired import paired
from plot import line_plot
from study import Study
from trainings import (
    accuracies, difference_row, name_of, notes, percent, plan, shown, trained,
)  # fmt: skip

TITLE = "SLTT-K: time and accuracy for K = 1 … T"
PUBLISHED = (
    "with K = 4 on DVS-Gesture, 2 on DVS-CIFAR10, 1 and 2 on ImageNet, SLTT-K reaches a similar accuracy in"
    " less time."
)


def measure(arguments):
    study = Study("sltt-k", arguments, plan(arguments))
    timesteps = study.plan["timesteps"]["cifar10"]
    # SLTT is SLTT-T.
    runs = trained(study, "cifar10", ["bptt", "sltt"])
    runs |= trained(study, "cifar10", ["sltt-k"], range(1, timesteps))
    by_k = {k: runs[name_of("sltt-k", k)] for k in range(1, timesteps)} | {timesteps: runs["sltt"]}
    rows = []
    for name, k in [("bptt", ""), ("sltt", timesteps)] + [
        (name_of("sltt-k", k), k) for k in range(timesteps - 1, 0, -1)
    ]:
        rows.append(
            {
                "rule": shown(name), "K": k, "accuracy, %": percent(accuracies(runs[name])),
                "ms an image": f"{milliseconds(runs[name]):.2f}",
                "of BPTT's time": f"{milliseconds(runs[name]) / milliseconds(runs['bptt']):.2f}",
            }
        )  # fmt: skip
    differences = [
        difference_row(f"SLTT-{k}", "SLTT", paired(accuracies(by_k[k]), accuracies(runs["sltt"])))
        for k in range(timesteps - 1, 0, -1)
    ]
    ks = sorted(by_k)
    spread = []
    for k in ks:
        mean = 100 * statistics.mean(accuracies(by_k[k]))
        deviation = 100 * statistics.stdev(accuracies(by_k[k]))
        spread.append((k, mean, mean - deviation, mean + deviation))
    bptt = runs["bptt"]
    plots = {
        "accuracy": line_plot(
            "Accuracy of SLTT-K, CIFAR-10", "K", "accuracy, %, with deviation over seeds",
            {"SLTT-K": spread, "BPTT": [(k, 100 * statistics.mean(accuracies(bptt))) for k in ks]},
            from_zero=False,
        ),
        "time": line_plot(
            "Time of SLTT-K, CIFAR-10", "K", "ms an image, training",
            {
                "SLTT-K": [(k, milliseconds(by_k[k])) for k in ks],
                "BPTT": [(k, milliseconds(bptt)) for k in ks],
            },
        ),
    }  # fmt: skip
    study.write(
        TITLE, PUBLISHED, {"CIFAR-10": rows, "Differences at the same seed": differences}, plots,
        [*notes(study), "Times are medians over the seeds, of training alone."],
    )  # fmt: skip


def milliseconds(runs):
    """Of an image, without validation: the median over the runs."""
    return 1000 / statistics.median(run["images_per_second"] for run in runs)
