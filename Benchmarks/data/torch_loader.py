"""Images a second that PyTorch's ImageFolder and DataLoader deliver, with the transforms of a preset
of sltt-dist: what `sltt-dist bench data` calls delivered. Prints one JSON object.

    python torch_loader.py --folder cifar10/train --preset cifar --workers 2

Needs torch and torchvision.
"""

import argparse
import json
import time

import torch
from torchvision import datasets, transforms


def training_transforms(preset):
    """What the preset does to training images, except cutout, which torchvision does not have."""
    if preset == "cifar":
        steps = [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip()]
        mean, deviation = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
    else:
        steps = [transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip()]
        mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return transforms.Compose(
        steps + [transforms.ToTensor(), transforms.Normalize(mean, deviation)]
    )


def delivered_rate(loader, seconds):
    """Counts from batch to batch, as sltt-dist does, through as many epochs as it takes."""
    start, images = None, 0
    while True:
        for batch, _ in loader:
            if start is None:
                start = time.perf_counter()
                continue
            images += len(batch)
            elapsed = time.perf_counter() - start
            if elapsed >= seconds:
                return images / elapsed


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
    rate = delivered_rate(loader, arguments.seconds)
    print(json.dumps({"torch": torch.__version__, "delivered": rate}))


if __name__ == "__main__":
    main()
