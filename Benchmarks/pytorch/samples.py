"""Batches for training: photographs, or recordings of N-MNIST, from a directory of class directories."""

import itertools
import pathlib

import numpy
import torch
import torch.nn.functional as F
from PIL import Image
from sltt_dist.images import Preparation

# Of a normalization, the augmentation in training that goes with it, which says how images are framed.
AUGMENTATIONS = {"cifar10": "cifar", "imagenet": "imagenet"}


def batches(folder, size, count, samples, timesteps, normalization=None):
    """`count` batches of `samples`: frames, a list of T tensors [N, C, H, W], and labels [N].

    Samples come round the classes by turns, and begin again when all were used. With a normalization
    they are images, whose frames are all the same; otherwise N-MNIST's recordings.
    """
    classes = sorted(path for path in pathlib.Path(folder).iterdir() if path.is_dir())
    lists = [[(file, label) for file in sorted(c.iterdir())] for label, c in enumerate(classes)]
    turns = itertools.zip_longest(*lists)
    order = itertools.cycle([sample for turn in turns for sample in turn if sample is not None])
    if normalization:
        augmentation = AUGMENTATIONS[normalization]
        prepare = Preparation(
            {"image_size": size, "normalization": normalization, "augmentation": augmentation}, 3
        )
    for _ in range(count):
        chosen = list(itertools.islice(order, samples))
        labels = torch.tensor([label for _, label in chosen])
        if normalization:
            image = torch.stack([prepare(Image.open(file)) for file, _ in chosen])
            yield [image] * timesteps, labels
        else:
            recordings = [event_frames(file, timesteps, size) for file, _ in chosen]
            yield list(torch.stack(recordings, dim=1)), labels


def event_frames(path, timesteps, size):
    """Frames [T, 2, size, size] of a recording of N-MNIST: equal numbers of events in each, the last
    with the rest (SpikingJelly's rule). Five bytes an event: x, y, polarity and time in 24 bits."""
    events = numpy.fromfile(path, dtype=numpy.uint8).reshape(-1, 5)
    x, y, polarity = events[:, 0].astype(int), events[:, 1].astype(int), events[:, 2] >> 7
    frame = numpy.minimum(numpy.arange(len(events)) // (len(events) // timesteps), timesteps - 1)
    frames = torch.zeros(timesteps, 2, 34, 34)
    cells = ((frame * 2 + polarity) * 34 + y) * 34 + x
    frames.view(-1).index_add_(0, torch.from_numpy(cells), torch.ones(len(cells)))
    return F.interpolate(frames, size=(size, size), mode="bilinear", antialias=True)
