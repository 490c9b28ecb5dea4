"""Trains in PyTorch as `sltt-dist train` does: the network of a run's config.yaml, from the same weights, on
the same samples in the same order, with the same augmentation. Prints one JSON object.

    python torch_training.py --config RUN/config.yaml --weights initial/model.safetensors

Knows what the trainings of Benchmarks/paper have: SGD with a cosine schedule, image folders with random_crop,
random_horizontal_flip and gray_cutout, and N-MNIST's recordings. Needs sltt_dist of this repository, with
torch.
"""

import argparse
import json
import math
import pathlib
import sys
import time

import numpy
import torch
import yaml
from PIL import Image
from random_stream import AUGMENTATION, SAMPLE_ORDER, TRAINED_TIMESTEPS, RandomStream
from safetensors.torch import load_file
from sltt_dist.builder import build
from sltt_dist.images import Normalization
from sltt_dist.network import reset

BENCHMARKS = pathlib.Path(__file__).resolve().parents[1]
sys.path += [str(BENCHMARKS), str(BENCHMARKS / "pytorch")]
from samples import event_frames  # noqa: E402
from study import SPLITS, TRAINING, VALIDATION  # noqa: E402
from training import Loss, gradients  # noqa: E402


class Images:
    """Images of a folder, of bytes [N, H, W, 3]."""

    def __init__(self, folder, configuration):
        self.files, self.labels = listed(folder)
        self.pixels = numpy.stack([numpy.array(Image.open(f).convert("RGB")) for f in self.files])
        self.seed = configuration["training"]["seed"]
        self.timesteps = configuration["method"]["timesteps"]
        self.normalize = Normalization.named(configuration["data"]["normalization"])

    def frames(self, indices, epoch):
        """A frame [N, C, H, W] for each time step, all the same; augmented where an epoch is given."""
        images = [self.pixels[index] for index in indices]
        if epoch is not None:
            images = [self.augmented(image, epoch, i) for image, i in zip(images, indices)]
        return [torch.stack([self.normalize(image) for image in images])] * self.timesteps

    def augmented(self, image, epoch, index):
        """random_crop with a margin of 4, random_horizontal_flip and gray_cutout."""
        random = RandomStream(self.seed, AUGMENTATION, epoch, index)
        side = len(image)
        x, y = random.uniform_below(9), random.uniform_below(9)
        image = numpy.pad(image, ((4, 4), (4, 4), (0, 0)))[y : y + side, x : x + side]
        if random.uniform() < 0.5:
            image = image[:, ::-1]
        if random.uniform() < 0.5:
            area = side * side * random.uniform_in(0.02, 0.4)
            shape = random.uniform_in(0.4, 2.5)
            width, height = (min(int(math.sqrt(a)), side) for a in (area / shape, area * shape))
            x, y = random.uniform_below(side - width + 1), random.uniform_below(side - height + 1)
            image = image.copy()
            image[y : y + height, x : x + width] = random.uniform_below(256)
        return numpy.ascontiguousarray(image)


class Recordings:
    """Recordings of N-MNIST, as counts of events [T, 2, size, size]."""

    def __init__(self, folder, configuration):
        self.files, self.labels = listed(folder)
        steps, size = configuration["method"]["timesteps"], configuration["data"]["image_size"]
        self.counts = torch.stack([event_frames(file, steps, size) for file in self.files], dim=1)

    def frames(self, indices, epoch):
        return list(self.counts[:, indices])


def listed(folder):
    """Files and labels, in the order in which sltt-dist counts samples."""
    classes = sorted(path for path in folder.iterdir() if path.is_dir())
    pairs = [(file, label) for label, c in enumerate(classes) for file in sorted(c.iterdir())]
    return [file for file, _ in pairs], torch.tensor([label for _, label in pairs])


def trained_timesteps(configuration, iteration):
    """Selection sampling, as LearningRule.recordedTimesteps."""
    method = configuration["method"]
    if method["name"] != "sltt-k":
        return range(method["timesteps"])
    random = RandomStream(configuration["training"]["seed"], TRAINED_TIMESTEPS, iteration)
    needed, chosen = method["k"], []
    for t in range(method["timesteps"]):
        if random.uniform_below(method["timesteps"] - t) < needed:
            chosen.append(t)
            needed -= 1
    return chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--config", required=True, help="config.yaml of a run of sltt-dist")
    parser.add_argument("--weights", required=True, help="initial weights, as safetensors")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    if not torch.set_flush_denormal(True):
        raise SystemExit("this processor cannot take denormal numbers for 0")
    torch.set_num_threads(arguments.threads)
    configuration = yaml.safe_load(pathlib.Path(arguments.config).read_text())
    print(json.dumps(train(configuration, load_file(arguments.weights), arguments)))


def train(configuration, weights, arguments):
    data, training = configuration["data"], configuration["training"]
    folder = pathlib.Path(data["path"])
    is_images = (folder / TRAINING).is_dir()
    kind, splits = (Images, (TRAINING, VALIDATION)) if is_images else (Recordings, SPLITS["nmnist"].values())
    samples, unseen = (kind(folder / split, configuration) for split in splits)

    method = configuration["method"]["name"]
    classes, channels = int(samples.labels.max()) + 1, 3 if is_images else 2
    network = build(configuration, classes, channels, method == "bptt")
    # Running statistics have their first values, not those after the iteration that wrote the weights. The
    # memory format stays PyTorch's own: its batch norm rounds 40 times more coarsely in channels_last.
    state = {n: w for n, w in weights.items() if n in dict(network.named_parameters())}
    missing = set(dict(network.named_parameters())) - set(state)
    if missing:
        raise SystemExit(f"{arguments.weights} lacks {', '.join(sorted(missing))}")
    network.load_state_dict(state, strict=False)

    optimizer = torch.optim.SGD(
        network.parameters(), lr=0, momentum=configuration["optimizer"]["momentum"],
        weight_decay=configuration["optimizer"]["weight_decay"], fused=True,
    )  # fmt: skip
    loss = Loss(
        configuration["method"]["timesteps"], configuration["loss"]["mse_weight"],
        configuration["loss"]["mse_target"] == "one-hot",
    )  # fmt: skip
    losses, seconds, iteration = [], 0, 0
    for epoch in range(training["epochs"]):
        rate = configuration["optimizer"]["learning_rate"]
        rate *= (1 + math.cos(math.pi * epoch / training["epochs"])) / 2
        optimizer.param_groups[0]["lr"] = rate
        order = RandomStream(training["seed"], SAMPLE_ORDER, epoch).permutation(len(samples.files))
        network.train()
        for start in range(0, len(order), training["global_batch"]):
            indices = order[start : start + training["global_batch"]]
            frames = samples.frames(indices, epoch)
            begin = time.perf_counter()
            trained = trained_timesteps(configuration, iteration)
            _, total = gradients(network, frames, samples.labels[indices], loss, method, trained)
            reset(network)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            seconds += time.perf_counter() - begin
            losses.append(total.item())
            iteration += 1
    return {
        "seed": training["seed"], "accuracy": accuracy(network, unseen), "losses": losses,
        "images_per_second": training["epochs"] * len(samples.files) / seconds,
        "torch": torch.__version__,
    }  # fmt: skip


def accuracy(network, samples):
    network.eval()
    right = 0
    with torch.no_grad():
        for indices in torch.arange(len(samples.files)).split(100):
            logits = sum(network(frame) for frame in samples.frames(indices.tolist(), None))
            reset(network)
            right += int((logits.argmax(1) == samples.labels[indices]).sum())
    return right / len(samples.files)


if __name__ == "__main__":
    main()
