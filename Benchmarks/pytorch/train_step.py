"""Times iterations of training in PyTorch: T time steps forward and backward, and the optimizer's update.
Prints one JSON object.

    python train_step.py --model resnet18 --folder cifar10/train --weights model.safetensors

Batches are decoded before anything is timed. Denormal numbers count as 0, as in sltt-dist. Needs sltt_dist
of this repository, with torch.
"""

import argparse
import contextlib
import functools
import json
import random
import resource
import statistics
import time

import torch
from safetensors.torch import load_file
from samples import batches
from sltt_dist.network import reset
from sltt_dist.neurons import Neuron
from training import Loss, SharedWeights, build, gradients

# Of each model: the recipe it was published with, with the classes of the data at hand for VGG-11.
RECIPES = {
    "resnet18": {
        "classes": 10, "channels": 3, "normalization": "cifar10", "mse_weight": 0.05,
        "learning_rate": 0.1, "weight_decay": 5e-5,
    },
    "nf-resnet34": {
        "classes": 1000, "channels": 3, "normalization": "imagenet", "mse_weight": 0,
        "learning_rate": 1e-3, "weight_decay": 0,
    },
    "vgg11": {
        "classes": 10, "channels": 2, "normalization": None, "mse_weight": 0.05,
        "learning_rate": 0.05, "weight_decay": 5e-4, "dropout": 0.3,
    },
}  # fmt: skip


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--model", choices=list(RECIPES), required=True)
    parser.add_argument("--folder", required=True, help="directory with a directory a class")
    parser.add_argument("--weights", help="safetensors file with the published names")
    parser.add_argument("--method", choices=["sltt", "sltt-k", "bptt"], default="sltt")
    parser.add_argument("--k", type=int, default=1, help="time steps that sltt-k trains")
    parser.add_argument("--size", type=int, default=32, help="of the input, in pixels")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--micro-batch", type=int, help="samples at once; by default all")
    parser.add_argument("--timesteps", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", choices=["float32", "mixed"], default="float32")
    parser.add_argument("--warmup", type=int, default=3, help="iterations before the timed ones")
    parser.add_argument("--iterations", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--compile", action="store_true", help="torch.compile the network")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument(
        "--share-weights", action="store_true",
        help="standardize weights once an iteration; the published code does at every time step",
    )  # fmt: skip
    return parser.parse_args()


def make_network(arguments, recipe):
    network = build(
        arguments.model, recipe["classes"], recipe["channels"], arguments.method == "bptt",
        **{key: recipe[key] for key in recipe if key == "dropout"},
    )  # fmt: skip
    if arguments.weights:
        missing, unexpected = network.load_state_dict(load_file(arguments.weights), strict=False)
        missing = [name for name in missing if not name.endswith("num_batches_tracked")]
        if missing or unexpected:
            raise SystemExit(f"{arguments.weights}: missing {missing}, unexpected {unexpected}")
    return network


def make_step(network, arguments, recipe):
    """A function that trains on one batch and returns its loss."""
    steps = arguments.timesteps
    loss = Loss(steps, recipe["mse_weight"], one_hot=recipe["channels"] == 2)
    optimizer = torch.optim.SGD(
        network.parameters(), lr=recipe["learning_rate"], momentum=0.9,
        weight_decay=recipe["weight_decay"], fused=True,
    )  # fmt: skip
    callee = torch.compile(network) if arguments.compile else network
    draws = random.Random(arguments.seed)

    def step(frames, labels):
        is_subset = arguments.method == "sltt-k"
        trained = draws.sample(range(steps), arguments.k) if is_subset else range(steps)
        shares = SharedWeights(network) if arguments.share_weights else contextlib.nullcontext()
        size, total = arguments.micro_batch or arguments.batch, 0
        parts = zip(zip(*(frame.split(size) for frame in frames)), labels.split(size))
        # One context for the whole iteration: it casts each weight once, not once a time step.
        with autocast(arguments), shares:
            for frames_of_part, labels_of_part in parts:
                part_loss = functools.partial(loss, share=len(labels_of_part) / len(labels))
                total += gradients(
                    callee, frames_of_part, labels_of_part, part_loss, arguments.method, trained
                )[1].item()
                reset(network)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return total

    return step


def autocast(arguments):
    return torch.autocast("cpu", torch.bfloat16, enabled=arguments.precision == "mixed")


def firing_rate(network, frames, arguments):
    """Spikes for each neuron and time step."""
    counts = []
    hooks = [
        module.register_forward_hook(lambda _, __, s: counts.append((float(s.sum()), s.numel())))
        for module in network.modules()
        if isinstance(module, Neuron)
    ]
    with torch.no_grad(), autocast(arguments):
        for frame in frames:
            network(frame)
    for hook in hooks:
        hook.remove()
    reset(network)
    return sum(fired for fired, _ in counts) / sum(neurons for _, neurons in counts)


def peak_resident_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB.


def main():
    imported_bytes = peak_resident_bytes()
    arguments = parse_arguments()
    # Before PyTorch starts its threads, which take the setting over from this one.
    if not torch.set_flush_denormal(True):
        raise SystemExit("this processor cannot take denormal numbers for 0")
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    random.seed(arguments.seed)
    recipe = RECIPES[arguments.model]
    network = make_network(arguments, recipe)
    memory_format = torch.channels_last if arguments.channels_last else torch.contiguous_format
    network = network.to(memory_format=memory_format)
    data = [
        ([frame.contiguous(memory_format=memory_format) for frame in frames], labels)
        for frames, labels in batches(
            arguments.folder, arguments.size, min(4, arguments.iterations), arguments.batch,
            arguments.timesteps, recipe["normalization"],
        )
    ]  # fmt: skip
    step = make_step(network, arguments, recipe)

    seconds, losses = [], []
    for iteration in range(arguments.warmup + arguments.iterations):
        frames, labels = data[iteration % len(data)]
        start = time.perf_counter()
        losses.append(step(frames, labels))
        seconds.append(time.perf_counter() - start)
    peak = peak_resident_bytes()

    timed = seconds[arguments.warmup :]
    report = {
        "torch": torch.__version__,
        "images_per_second": arguments.batch / statistics.median(timed),
        "seconds_per_iteration": statistics.median(timed),
        "seconds": timed,
        "warmup_seconds": seconds[: arguments.warmup],
        "peak_rss_bytes": peak,
        "imported_rss_bytes": imported_bytes,
        "first_loss": losses[0],
        "last_loss": losses[-1],
        "firing_rate": statistics.mean(firing_rate(network, x, arguments) for x, _ in data),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
