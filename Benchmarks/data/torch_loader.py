"""Images a second that PyTorch's ImageFolder and DataLoader deliver, with the transforms of a preset
of sltt-dist: what `sltt-dist bench data` calls delivered. Prints one JSON object, which also has the
images for each second of processor time, of the workers and the process that they deliver to.

    python torch_loader.py --folder cifar10/train --preset cifar --workers 2

Needs torch and torchvision.
"""

import argparse
import json
import os
import pathlib
import time

import torch
from torchvision import datasets, transforms


def training_transforms(preset):
    """What the preset of sltt-dist does to training images."""
    if preset == "cifar":
        steps = [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip()]
        mean, deviation = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
    else:
        steps = [transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip()]
        mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return transforms.Compose(
        steps + [transforms.ToTensor(), transforms.Normalize(mean, deviation)]
    )


def processor_seconds():
    """Of this process and its children, all of which are workers."""
    total = 0
    for directory in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            fields = (directory / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # It has ended.
            continue
        if os.getpid() in (int(directory.name), int(fields[1])):
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def delivered_rates(loader, seconds):
    """Counts from batch to batch, as sltt-dist does, through as many epochs as it takes."""
    start, images = None, 0
    while True:
        for batch, _ in loader:
            if start is None:
                start, processor_start = time.perf_counter(), processor_seconds()
                continue
            images += len(batch)
            elapsed = time.perf_counter() - start
            if elapsed >= seconds:
                return images / elapsed, images / (processor_seconds() - processor_start)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--folder", required=True, help="directory with a directory a class")
    parser.add_argument("--preset", choices=["cifar", "imagenet"], required=True)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=5)
    arguments = parser.parse_args()

    loader = torch.utils.data.DataLoader(
        datasets.ImageFolder(arguments.folder, training_transforms(arguments.preset)),
        batch_size=arguments.batch,
        shuffle=True,
        num_workers=arguments.workers,
        persistent_workers=arguments.workers > 0,
    )
    rate, processor_rate = delivered_rates(loader, arguments.seconds)
    report = {"torch": torch.__version__, "per_second": rate, "per_processor_second": processor_rate}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
