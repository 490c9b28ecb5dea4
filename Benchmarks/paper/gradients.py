"""The claim that the temporal part of BPTT's gradient is small: SLTT's gradient beside BPTT's on the same
weights and batches, by layer and epoch, while a network is trained by SLTT."""

import json
import math

from plot import line_plot
from study import QUIET, TRAINING, VALIDATION, Study, training_samples

TITLE = "The temporal part of BPTT's gradient is small"
PUBLISHED = (
    "plots without figures: the cosine similarity of the gradients with and without their temporal part"
    " stays near 1 during training, and nearer for a small tau."
)
TAUS = [1.1, 2]
RECIPES = {"cifar10": "cifar10-resnet18", "nmnist": "nmnist-vgg11"}


def plan(arguments):
    """45 images a class for each minute, and 10 recordings: all of CIFAR-10 with 111 minutes."""
    if arguments.short:
        return {
            "width": 2, "epochs": 2, "batch": 9, "compared batches": 2,
            "samples a class": {"cifar10": 6, "nmnist": 6},
        }  # fmt: skip
    samples = {
        "cifar10": min(5000, max(30, int(45 * arguments.budget))),
        "nmnist": min(6000, max(20, int(10 * arguments.budget))),
    }
    return {
        "width": 16, "epochs": 4, "batch": 64, "compared batches": 3, "samples a class": samples
    }  # fmt: skip


def measure(arguments):
    study = Study("gradients", arguments, plan(arguments))
    epochs = study.plan["epochs"]
    rows, plots, ends = [], {}, []
    for data in RECIPES:
        by_epoch, by_layer = {}, {}
        for tau in TAUS:
            compared = [compare(study, data, tau, epoch) for epoch in range(epochs + 1)]
            layers = [weights_of_layers(comparison) for comparison in compared]
            for which, name in ((0, "first layer"), (-2, "last convolution")):
                line = [(epoch, cosine(found[which])) for epoch, found in enumerate(layers)]
                by_epoch[f"tau {tau}, {name}"] = line
            line = [(epoch, cosine(found["all"])) for epoch, found in enumerate(compared)]
            by_epoch[f"tau {tau}, all"] = line
            by_layer[f"tau {tau}, cosine"] = numbered(layers[-1], cosine)
            by_layer[f"tau {tau}, ratio of norms"] = numbered(layers[-1], ratio)
            for epoch, (found, weights) in enumerate(zip(compared, layers)):
                least = min(weights, key=cosine)
                rows.append(
                    {
                        "data": data, "tau": tau, "epoch": epoch,
                        "cosine of all": f"{cosine(found['all']):.4f}",
                        "norms, SLTT / BPTT": f"{ratio(found['all']):.4f}",
                        "least cosine": f"{cosine(least):.4f}", "of": least["name"],
                    }
                )  # fmt: skip
            ends += [
                {
                    "data": data, "tau": tau, "layer": layer["name"],
                    "cosine": spread(layer["cosine"]), "norms, SLTT / BPTT": spread(layer["norm_ratio"]),
                }
                for layer in layers[-1]
            ]  # fmt: skip
        plots[f"{data}-epochs"] = line_plot(
            f"SLTT's gradient beside BPTT's, {data}", "epoch", "cosine", by_epoch, from_zero=False
        )
        plots[f"{data}-layers"] = line_plot(
            f"SLTT's gradient beside BPTT's, {data}, epoch {epochs}", "layer, from the input",
            "cosine and ratio of norms", by_layer, from_zero=False,
        )  # fmt: skip
    study.write(
        TITLE, PUBLISHED, {"By epoch": rows, f"By layer, epoch {epochs}": ends}, plots, notes(study)
    )


def compare(study, data, tau, epoch):
    """The gradients of both rules on weights that SLTT trained for so many epochs; 0 are initial ones."""
    run = study.output / "runs" / f"gradients-{data}-tau-{tau}"
    recipe = RECIPES[data]
    settings = settings_of(study, data, tau)
    file = study.folder / "comparison.json"

    def train():
        study.sltt(
            "train", "--config", recipe, "--output", run, "--resume", "auto", settings=settings
        )  # fmt: skip

    def gradients():
        weights = ["--config", recipe]
        if epoch > 0:
            samples = training_samples(settings["data.path"])
            iteration = epoch * math.ceil(samples / study.plan["batch"])
            weights = ["--checkpoint", run / f"checkpoints/iteration-{iteration:09}"]
        batches = study.plan["compared batches"]
        study.sltt(
            "gradients", *weights, "--compare", "bptt", "--batches", batches, "--json", file,
            settings=settings if epoch == 0 else None,
        )  # fmt: skip
        return json.loads(file.read_text())

    study.measured(f"{data}, tau {tau}, training", train)
    return study.measured(f"{data}, tau {tau}, epoch {epoch}", gradients)


def settings_of(study, data, tau):
    return QUIET | {
        "data.path": study.subset(data, counts_of(study, data)),
        "model.width": study.plan["width"],
        "neuron.tau": tau,
        "training.epochs": study.plan["epochs"],
        "training.global_batch": study.plan["batch"],
        # Those of all epochs, and of as many interruptions.
        "checkpoint.keep": 100,
    }


def counts_of(study, data):
    return {TRAINING: study.plan["samples a class"][data], VALIDATION: 2}


def weights_of_layers(comparison):
    """The weights of convolutions and linear layers, in the order of the network. Those of batch norm have
    as many elements as its biases."""
    found = {parameter["name"]: parameter for parameter in comparison["parameters"]}
    weights = []
    for name, parameter in found.items():
        bias = found.get(name.replace(".weight", ".bias"))
        if name.endswith(".weight") and (bias is None or bias["elements"] < parameter["elements"]):
            weights.append(parameter)
    return weights


def cosine(parameter):
    return parameter["cosine"]["mean"]


def ratio(parameter):
    return parameter["norm_ratio"]["mean"]


def numbered(layers, figure):
    return [(number, figure(layer)) for number, layer in enumerate(layers, 1)]


def spread(figure):
    """Mean ± deviation over the batches."""
    deviation = f" ± {figure['deviation']:.4f}" if "deviation" in figure else ""
    return f"{figure['mean']:.4f}{deviation}"


def notes(study):
    samples, width = study.plan["samples a class"], study.plan["width"]
    recordings = training_samples(study.subset("nmnist", counts_of(study, "nmnist")))
    return [
        f"Scaled: width {width} in place of 64; {samples['cifar10']} of CIFAR-10's 5,000 images a class,"
        f" batches of {study.plan['batch']}, {study.plan['epochs']} epochs in place of 200.",
        f"N-MNIST ({recordings} training recordings, T = 10) stands for the paper's events.",
        "Training is by SLTT. Gradients are means over"
        f" {study.plan['compared batches']} training batches; epoch 0 are initial weights.",
    ]
